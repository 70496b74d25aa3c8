import assert from "node:assert/strict";
import postgres from "postgres";
import { sha256 } from "../../../shared/sha256.ts";
import { readConfig } from "../../../worker/config.ts";
import { openGallery } from "../../../worker/gallery/open.ts";
import { type Outcome, outcomeOf } from "../../support/command.ts";
import { interruptWhen } from "../../support/interrupt.ts";
import { smallDataset } from "../../support/photos.ts";
import { startPostgres } from "../../support/postgres.ts";
import { clientOf, model } from "../worker/client.ts";
import { startWorker } from "../worker/process.ts";
import { tinyModel, writeModel } from "../worker/tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-enroll-" });
const TINY = `${folder}/model`;
await writeModel(model, TINY);
const photos = await smallDataset(2, 2, 2);
const PHOTOS = 8;

function spawn(...args: string[]): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions, "scripts/enroll.ts", ...args],
    env: { NO_COLOR: "1", TRIPTYCH_KEY: "" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const enroll = (...args: string[]): Promise<Outcome> => outcomeOf(spawn(...args));

async function subjectsIn(url: string, name = "default") {
  const gallery = await openGallery(readConfig({ TRIPTYCH_GALLERY: url }).gallery, model.card);
  const collections = await gallery.snapshot();
  await gallery.close();
  return collections.find(({ collection }) => collection === name)?.subjects ?? [];
}

async function keysIn(url: string): Promise<string[]> {
  const subjects = await subjectsIn(url);
  return subjects.flatMap(({ subject, images }) => images.map(({ request }) => `${subject} ${request?.key}`)).sort();
}

async function onePhoto() {
  const [{ name: subject }] = [...Deno.readDirSync(`${photos}/test`)];
  const [{ name }] = [...Deno.readDirSync(`${photos}/test/${subject}`)];
  return { subject, image: await Deno.readFile(`${photos}/test/${subject}/${name}`) };
}

Deno.test("deno task enroll --help ends with 0 and names every option", async () => {
  const { code, stdout } = await enroll("--help");
  assert.equal(code, 0);
  for (const option of ["model", "gallery", "data", "collection", "key", "concurrency", "max-unreadable"]) {
    assert.ok(stdout.includes(`  --${option} `), option);
  }
});

Deno.test("wrong usage ends with 2, a model that is not there with 1, each with one sentence", async () => {
  const given = ["--model", TINY, "--gallery", `sqlite:${folder}/usage.sqlite`, "--data", photos];
  for (
    const [args, code, pattern] of [
      [[], 2, /^error: --model is not right: it is missing; see --help\.\n$/],
      [[...given, "--concurrency", "0"], 2, /^error: --concurrency is not right: [^\n]+\n$/],
      [[...given, "--max-unreadable", "1.2.3"], 2, /^error: --max-unreadable is not right: [^\n]+\n$/],
      [[...given, "--collection", "."], 2, /^error: --collection is not right: [^\n]+\n$/],
      [[...given, "--gallery", "memory:"], 2, /^error: --gallery memory: [^\n]+\n$/],
      [
        [...given, "--gallery", "file.snapshot"],
        2,
        /^error: file\.snapshot is a snapshot, which is read-only; [^\n]+\n$/,
      ],
      [[...given, "--model", "missing"], 1, /^error: Cannot read missing\/model\.json: [^\n]+\n$/],
      [[...given, "--data", "missing"], 1, /^error: There is no folder missing; check the path\.\n$/],
      [[...given, "--gallery", "http://localhost:9"], 1, /^error: Cannot reach the worker at [^\n]+\n$/],
    ] as const
  ) {
    const outcome = await enroll(...args);
    assert.match(outcome.stderr, pattern);
    assert.equal(outcome.code, code);
  }
});

Deno.test("a worker on a gallery that was enrolled finds each photo at distance 0, with the bundled model", async () => {
  const gallery = `sqlite:${folder}/bundled.sqlite`;
  const { code, stdout } = await enroll("--model", "samples/model", "--gallery", gallery, "--data", photos);
  assert.deepEqual([code, stdout], [
    0,
    `Enrolled ${PHOTOS} photos in default; 0 were there already, 0 cannot be read.\n`,
  ]);
  const worker = await startWorker({ TRIPTYCH_MODEL: "samples/model", TRIPTYCH_GALLERY: gallery });
  try {
    const call = clientOf(worker.base);
    for (const part of ["train", "test"]) {
      for (const { name: subject } of Deno.readDirSync(`${photos}/${part}`)) {
        for (const { name } of Deno.readDirSync(`${photos}/${part}/${subject}`)) {
          const image = await Deno.readFile(`${photos}/${part}/${subject}/${name}`);
          const { body } = await call("POST /match", { image, headers: { "content-type": "image/jpeg" } });
          assert.deepEqual([body.matches[0].subject, body.matches[0].distance], [subject, 0]);
        }
      }
    }
  } finally {
    await worker.stop();
  }
});

Deno.test("a second run enrols nothing but what is new, and leaves what is there as it is", async () => {
  const gallery = `sqlite:${folder}/again.sqlite`, data = await smallDataset(2, 1, 2);
  const args = ["--model", TINY, "--gallery", gallery, "--data", data];
  await enroll(...args);
  const before = await subjectsIn(gallery);
  assert.match((await enroll(...args)).stdout, /^Enrolled 0 photos in default; 6 were there already/);
  assert.deepEqual(await subjectsIn(gallery), before);
  const [{ name: product }] = [...Deno.readDirSync(`${data}/test`)];
  const [{ name: photo }] = [...Deno.readDirSync(`samples/products/packshots/${product}`)];
  await Deno.copyFile(`samples/products/packshots/${product}/${photo}`, `${data}/test/${product}/new.jpg`);
  assert.match((await enroll(...args)).stdout, /^Enrolled 1 photos in default; 6 were there already/);
});

Deno.test("the photos of a manifest go to a collection, one that is listed twice once, of folders within folders too", async () => {
  const gallery = `sqlite:${folder}/manifest.sqlite`, manifest = `${folder}/manifest.csv`;
  const [{ name: product }] = [...Deno.readDirSync(`${photos}/test`)];
  const [first, second] = [...Deno.readDirSync(`${photos}/test/${product}`)].map(({ name }) => name);
  const lines = [[first, "a/b c"], [first, "a/b c"], [second, "a/b c"], [first, "d"]]
    .map(([name, identity]) => `${photos}/test/${product}/${name},${identity}`.replace("/", "../".repeat(20)));
  await Deno.writeTextFile(manifest, ["path,identity", ...lines].join("\n"));
  const { code } = await enroll("--model", TINY, "--gallery", gallery, "--data", manifest, "--collection", "c");
  assert.equal(code, 0);
  const subjects = await subjectsIn(gallery, "c");
  assert.deepEqual(
    new Map(subjects.map((record) => [record.subject, record.images.length])),
    new Map([["a/b c", 2], ["d", 1]]),
  );
});

Deno.test("files that cannot be read are listed and skipped, up to a share of them", async () => {
  const data = await smallDataset(2, 1, 2);
  const [{ name: product }] = [...Deno.readDirSync(`${data}/test`)];
  await Deno.writeTextFile(`${data}/test/${product}/text.jpg`, "no image");
  const args = ["--model", TINY, "--gallery", `sqlite:${folder}/unreadable.sqlite`, "--data", data];
  const refused = await enroll(...args);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /warning: skipped \S+text\.jpg: [^\n]+\n[^]*error: More than the allowed share [^\n]+\n$/,
  );
  const skipped = await enroll(...args, "--max-unreadable", "0.2");
  assert.equal(skipped.code, 0);
  assert.match(skipped.stderr, /warning: skipped \S+text\.jpg: /);
  assert.match(skipped.stdout, /, 1 cannot be read\.\n$/);
  assert.equal((await keysIn(`sqlite:${folder}/unreadable.sqlite`)).length, 6);
});

Deno.test("Ctrl-C leaves a gallery that the same command completes", async () => {
  const stopped = `sqlite:${folder}/stopped.sqlite`, whole = `sqlite:${folder}/whole.sqlite`;
  const to = (gallery: string) => ["--model", TINY, "--gallery", gallery, "--data", "samples/products/test"];
  const isBegun = () => Deno.stat(`${folder}/stopped.sqlite-wal`).then(({ size }) => size > 50_000, () => false);
  const { code, stderr } = await interruptWhen(spawn(...to(stopped), "--concurrency", "1"), isBegun);
  assert.deepEqual([code, /Stopped; the same command goes on from there\.\n$/.test(stderr)], [130, true]);
  const begun = (await keysIn(stopped)).length;
  assert.ok(begun > 0 && begun < 400, `${begun} were enrolled`);
  assert.match(
    (await enroll(...to(stopped))).stdout,
    new RegExp(`^Enrolled ${400 - begun} photos in default; ${begun} `),
  );
  await enroll(...to(whole));
  assert.deepEqual(await keysIn(stopped), await keysIn(whole));
});

Deno.test("a running worker with a key is sent embeddings, each once, which it finds at distance 0", async () => {
  const env = {
    TRIPTYCH_MODEL: TINY,
    TRIPTYCH_KEYS: "enroll:k1,match:k2",
    TRIPTYCH_GALLERY: `sqlite:${folder}/hosted.sqlite`,
  };
  const worker = await startWorker(env);
  try {
    const args = ["--model", TINY, "--gallery", worker.base, "--data", photos, "--collection", "ü 1"];
    assert.match((await enroll(...args)).stderr, /^error: \S+ answered 401: [^\n]+\n$/);
    const run = async () => (await enroll(...args, "--key", "k1")).stdout;
    assert.match(await run(), new RegExp(`^Enrolled ${PHOTOS} photos in ü 1; 0 were`));
    assert.match(await run(), new RegExp(`^Enrolled 0 photos in ü 1; ${PHOTOS} were`));
    const { subject, image } = await onePhoto();
    const headers = { "content-type": "image/jpeg", authorization: "Bearer k2" };
    const { body } = await clientOf(worker.base)(`POST /match?collection=${encodeURIComponent("ü 1")}`, {
      image,
      headers,
    });
    assert.deepEqual([body.matches[0].subject, body.matches[0].distance], [subject, 0]);
  } finally {
    await worker.stop();
  }
});

Deno.test("a photo whose key a worker has is there already, whoever enrolled it", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL: TINY });
  try {
    const { subject, image } = await onePhoto();
    const headers = { "content-type": "image/jpeg", "idempotency-key": await sha256(image) };
    await clientOf(worker.base)(`POST /collections/default/subjects/${subject}/images`, { image, headers });
    const { stdout } = await enroll("--model", TINY, "--gallery", worker.base, "--data", photos);
    assert.match(stdout, new RegExp(`^Enrolled ${PHOTOS - 1} photos in default; 1 were there already`));
  } finally {
    await worker.stop();
  }
});

Deno.test("a worker of another model is told apart before anything is enrolled", async () => {
  const other = `${folder}/other`;
  await writeModel(await tinyModel(2), other);
  const worker = await startWorker({ TRIPTYCH_MODEL: other });
  try {
    const { code, stderr } = await enroll("--model", TINY, "--gallery", worker.base, "--data", photos);
    assert.equal(code, 1);
    assert.match(stderr, /^error: \S+ answered 409: The embedding is of another model; [^\n]+\n$/);
  } finally {
    await worker.stop();
  }
});

const server = await startPostgres();
Deno.test.afterAll(() => server.stop());

Deno.test({
  name:
    "two machines that enrol the same photos in one Postgres gallery share them, and one that is killed leaves its own",
  ignore: !server.isReal,
  fn: async () => {
    const gallery = await server.makeDatabase();
    const args = ["--model", TINY, "--gallery", gallery, "--data", "samples/products/test", "--concurrency", "1"];
    const killed = spawn(...args);
    const enrolled = async () => (await photosIn(gallery)).length;
    while (await enrolled() === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    const both = [enroll(...args), enroll(...args)];
    killed.kill("SIGKILL");
    await outcomeOf(killed);
    const counts = (await Promise.all(both)).map(({ code, stdout }) => {
      assert.equal(code, 0);
      return stdout.match(/\d+/g)!.map(Number);
    });
    const photos = await photosIn(gallery);
    assert.equal(photos.length, 400);
    assert.equal(new Set(photos).size, 400);
    for (const [mine] of counts) assert.ok(mine > 100, `${mine} were enrolled by one`);
  },
});
if (!server.isReal) console.log("skipped on PGlite, which has one connection: machines that share a bulk enrolment");

/** The subject and the key of every photo in a database; none if that is not there yet. */
async function photosIn(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const rows = await sql`SELECT subject, request_key FROM triptych_images`;
    return rows.map(({ subject, request_key }) => `${subject} ${request_key}`);
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === "42P01") return [];
    throw error;
  } finally {
    await sql.end();
  }
}
