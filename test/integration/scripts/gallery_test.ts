import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { decodeSnapshot } from "../../../shared/decode_snapshot.ts";
import type { ImageRecord, SubjectRecord } from "../../../shared/snapshot.ts";
import { openGallery } from "../../../worker/gallery/open.ts";
import { type Outcome, outcomeOf } from "../../support/command.ts";
import { interruptWhen } from "../../support/interrupt.ts";
import { smallDataset } from "../../support/photos.ts";
import { encodeSnapshotV1 } from "../../support/snapshot_v1.ts";
import { clientOf, model } from "../worker/client.ts";
import { startWorker } from "../worker/process.ts";
import { tinyModel, writeModel } from "../worker/tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-gallery-" });
const OLD = `${folder}/old-model`, NEW = `${folder}/new-model`;
const newModel = await tinyModel(2);
await writeModel(model, OLD);
await writeModel(newModel, NEW);
const { fingerprint, embedding: { dimensions } } = model.card;

function spawn(script: "gallery" | "enroll", args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions, `scripts/${script}.ts`, ...args],
    env: { NO_COLOR: "1", TRIPTYCH_MODEL: OLD, TRIPTYCH_GALLERY: "", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

const gallery = (...args: string[]): Promise<Outcome> => outcomeOf(spawn("gallery", args));

async function succeeds(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gallery(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

let drawn = 0;

/** A unit vector that is not drawn twice. */
function vector(): Float32Array<ArrayBuffer> {
  const salt = ++drawn;
  const values = Array.from({ length: dimensions }, (_, i) => Math.sin(salt * 12.9898 + i * 78.233 + salt * i));
  return Float32Array.from(values, (value) => value / Math.hypot(...values));
}

/** A database with `count` subjects of two images, some with what images and subjects may have. */
async function filled(name: string, count: number, collection = "c"): Promise<string> {
  const path = `${folder}/${name}.sqlite`;
  const store = await openGallery({ kind: "sqlite", path }, model.card);
  const subjects = Array.from({ length: count }, (_, i): SubjectRecord => ({
    subject: `s${i}`,
    metadata: { number: i },
    expiresAt: i % 3 === 0 ? "2999-01-01T00:00:00.000Z" : null,
    revision: `${name}-${i}`,
    images: [0, 1].map((j): ImageRecord => ({
      image: `${name}-${i}-${j}`,
      createdAt: `2026-01-02T03:04:0${j}.000Z`,
      embedding: vector(),
      ...i % 2 === 0 &&
        { request: { key: `k${j}`, digest: "d" }, thumbnail: crypto.getRandomValues(new Uint8Array(300)) },
    })),
  }));
  await store.restore(collection, subjects);
  await store.close();
  return path;
}

async function contentsOf(path: string, card = model.card) {
  const store = await openGallery({ kind: "sqlite", path }, card);
  const collections = await store.snapshot();
  await store.close();
  return collections;
}

Deno.test("deno task gallery --help ends with 0 and names every command and option", async () => {
  const help = await succeeds("--help");
  for (const command of ["export", "import", "stats", "forget", "reembed"]) {
    assert.ok(help.includes(`deno task gallery ${command} `), command);
  }
  const options = ["gallery", "out", "from", "replace", "collection", "snapshot", "model", "data", "to", "verbose"];
  for (const option of options) assert.ok(help.includes(`  --${option} `), option);
});

Deno.test("wrong usage ends with 2, what is not there with 1, each with one sentence", async () => {
  for (
    const [args, code] of [
      [[], 2],
      [["stats", "more"], 2],
      [["export"], 2],
      [["export", "--out", "x", "--from", "y"], 2],
      [["export", "--out", "x", "--gallery", "memory:"], 2],
      [["import", "--from", "x", "--gallery", "y.snapshot"], 2],
      [["forget", "--gallery", "sqlite:x"], 2],
      [["stats", "--gallery", `sqlite:${folder}/missing.sqlite`], 1],
      [["import", "--from", "missing", "--gallery", `sqlite:${folder}/usage.sqlite`], 1],
      [["forget", "nobody", "--gallery", `sqlite:${await filled("nobody", 1)}`], 1],
    ] as const
  ) {
    const outcome = await gallery(...args);
    assert.match(outcome.stderr, /^error: [^\n]+\n$/, args.join(" "));
    assert.equal(outcome.code, code, args.join(" "));
  }
});

Deno.test("what is exported is imported elsewhere as it was, again and again, and served meanwhile", async () => {
  const path = await filled("export", 700), file = `${folder}/export.snapshot`;
  const worker = await startWorker({ TRIPTYCH_MODEL: OLD, TRIPTYCH_GALLERY: `sqlite:${path}` });
  try {
    const told = await succeeds("export", "--gallery", `sqlite:${path}`, "--out", file);
    assert.match(told, /^Exported 700 subjects with 1400 images to \S+: \d\.\d MB\.\n$/);
    const snapshot = await decodeSnapshot(await Deno.readFile(file), file);
    assert.equal(snapshot.fingerprint, fingerprint);
    assert.deepEqual(snapshot.collections, await contentsOf(path));
    for (let round = 0; round < 2; round++) {
      await succeeds("import", "--gallery", `sqlite:${folder}/imported.sqlite`, "--from", file);
      assert.deepEqual(await contentsOf(`${folder}/imported.sqlite`), snapshot.collections);
    }
    assert.equal((await clientOf(worker.base)("GET /collections/c")).body.images, 1400);
  } finally {
    await worker.stop();
  }
});

Deno.test("an import keeps who is there, with --replace it leaves nobody else, and another model is refused", async () => {
  const file = `${folder}/merge.snapshot`;
  await succeeds("export", "--gallery", `sqlite:${await filled("merge", 3)}`, "--out", file);
  const path = await filled("here", 5), url = `sqlite:${path}`;
  const other = await openGallery({ kind: "sqlite", path }, model.card);
  await other.addImage("other", "x", vector());
  await other.close();
  await succeeds("import", "--gallery", url, "--from", file);
  const merged = await contentsOf(path);
  assert.deepEqual(merged.map(({ collection, subjects }) => [collection, subjects.length]), [
    ["c", 5],
    ["default", 0],
    ["other", 1],
  ]);
  const told = await succeeds("import", "--gallery", url, "--from", file, "--replace");
  assert.match(told, /; 3 others were deleted\.\n$/);
  assert.deepEqual(await contentsOf(path), (await decodeSnapshot(await Deno.readFile(file), file)).collections);
  const foreign = `${folder}/foreign.sqlite`;
  await (await openGallery({ kind: "sqlite", path: foreign }, newModel.card)).close();
  const { code, stderr } = await gallery("import", "--gallery", `sqlite:${foreign}`, "--from", file);
  assert.equal(code, 1);
  assert.match(stderr, /error: The gallery in \S+ was enrolled with the model [^\n]+\n$/);
});

Deno.test("a snapshot of a former version is imported", async () => {
  const collections = await contentsOf(await filled("former", 4)), file = `${folder}/former.snapshot`;
  await Deno.writeFile(file, await encodeSnapshotV1({ fingerprint, dimensions, collections }));
  await succeeds("import", "--gallery", `sqlite:${folder}/from-former.sqlite`, "--from", file);
  assert.deepEqual(await contentsOf(`${folder}/from-former.sqlite`), collections);
});

Deno.test("stats tells the sizes, the times, how far subjects are apart, and who may be the same", async () => {
  const path = await filled("stats", 6);
  const store = await openGallery({ kind: "sqlite", path }, model.card);
  const { images: [{ embedding }] } = await store.subject("c", "s1");
  await store.addImage("c", "twin", embedding);
  await store.close();
  const told = await succeeds("stats", "--gallery", `sqlite:${path}`);
  for (
    const line of [
      `model ${fingerprint}, ${dimensions} dimensions`,
      "collection c: 7 subjects, 13 images",
      "2 subjects expire, the next at 2999-01-01T00:00:00.000Z",
      "collection default: 0 subjects, 0 images",
    ]
  ) assert.ok(told.includes(`${line}\n`), told);
  assert.match(told, /enrolled from 2026-01-02T03:04:00\.000Z to /);
  assert.match(told, /images a subject:\n +1 +█+ 1\n +2 +█+ 6\n/);
  assert.match(told, /distance to the nearest image of another subject, of 13 images:\n +0\.0 +█+ 2\n/);
  assert.match(told, /\n +0\.000 +(s1 +twin|twin +s1)\n/);
});

Deno.test("who is forgotten is in no file, while a worker has the gallery open, and the receipt proves it", async () => {
  const path = await filled("forget", 30), file = `${folder}/forget.snapshot`, url = `sqlite:${path}`;
  await succeeds("export", "--gallery", url, "--out", file);
  const { subjects } = (await contentsOf(path))[0];
  const gone = subjects.find(({ subject }) => subject === "s4")!;
  const worker = await startWorker({ TRIPTYCH_MODEL: OLD, TRIPTYCH_GALLERY: url });
  try {
    const call = clientOf(worker.base);
    assert.equal((await call("GET /collections/c/subjects/s4")).status, 200);
    const printed = await succeeds("forget", "s4", "--collection", "c", "--gallery", url, "--snapshot", file);
    const { sha256, ...receipt } = JSON.parse(printed);
    assert.equal(sha256, `sha256:${createHash("sha256").update(JSON.stringify(receipt)).digest("hex")}`);
    const ids = gone.images.map(({ image }) => image);
    for (const { images, verified } of receipt.stores) {
      assert.deepEqual(images, ids);
      assert.ok(verified.isGone && verified.files.length > 0);
      for (const { traces } of verified.files) assert.equal(traces, 0);
    }
    assert.equal(receipt.stores.length, 2);
    assert.ok(receipt.limits.some((limit: string) => /backups are not reached/.test(limit)));
    assert.doesNotMatch(printed, new RegExp(`${gone.images[0].embedding[0]}`));
    assert.equal((await call("GET /collections/c/subjects/s4")).status, 404);
  } finally {
    await worker.stop();
  }
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.startsWith("forget.")) continue;
    const bytes = (await Deno.readFile(`${folder}/${name}`)).toHex();
    for (const { embedding, thumbnail, image } of gone.images) {
      for (const secret of [new Uint8Array(embedding.buffer, embedding.byteOffset + 8, 8), thumbnail!]) {
        assert.ok(!bytes.includes(secret.toHex()), name);
      }
      assert.ok(!bytes.includes(new TextEncoder().encode(image).toHex()), name);
    }
  }
  const { collections } = await decodeSnapshot(await Deno.readFile(file), file);
  assert.equal(collections[0].subjects.length, 29);
});

Deno.test("who is forgotten in Deno KV is not in its file either", async () => {
  const path = await filled("source", 30), file = `${folder}/source.snapshot`, kv = `${folder}/forget-kv.kv`;
  await succeeds("export", "--gallery", `sqlite:${path}`, "--out", file);
  await succeeds("import", "--gallery", `kv:${kv}`, "--from", file);
  const { images } = (await contentsOf(path))[0].subjects.find(({ subject }) => subject === "s4")!;
  const secrets = images.map(({ embedding }) => new Uint8Array(embedding.buffer, embedding.byteOffset, 48).toBase64());
  const holds = async () => {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(kv));
    return secrets.some((secret) => text.includes(secret));
  };
  assert.ok(await holds());
  const receipt = JSON.parse(await succeeds("forget", "s4", "--collection", "c", "--gallery", `kv:${kv}`));
  const [{ verified }] = receipt.stores;
  assert.ok(verified.isGone && verified.files.length > 0);
  for (const { traces } of verified.files) assert.equal(traces, 0);
  assert.ok(!await holds());
});

Deno.test("re-embedding leaves the old gallery to its worker, also when it is killed, and another worker gets the new one whole", async () => {
  const data = "samples/products/test", old = `sqlite:${folder}/reembed.sqlite`, to = `${folder}/reembedded.sqlite`;
  assert.equal((await outcomeOf(spawn("enroll", ["--model", OLD, "--gallery", old, "--data", data]))).code, 0);
  const worker = await startWorker({ TRIPTYCH_MODEL: OLD, TRIPTYCH_GALLERY: old });
  const call = clientOf(worker.base);
  const [first, second] = (await call("GET /collections/default/subjects")).body.subjects;
  await call(`PUT /collections/default/subjects/${first.subject}`, {
    json: { metadata: { kept: true }, expiresAt: "2999-01-01T00:00:00Z" },
  });
  const { images } = (await call(`GET /collections/default/subjects/${second.subject}`)).body;
  await call(`DELETE /collections/default/subjects/${second.subject}/images/${images[0].image}`);
  const embedding = [...vector()];
  await call("POST /collections/default/subjects/no%20photo/images", { json: { embedding, fingerprint } });
  const before = await contentsOf(`${folder}/reembed.sqlite`);
  let isOver = false, answers = 0;
  const load = (async () => {
    for (; !isOver; answers++) {
      const { status, body } = await call("POST /match", { json: { embedding, fingerprint } });
      assert.deepEqual([status, body.subjects, body.matches[0].subject], [200, 21, "no photo"]);
    }
  })();
  const args = ["reembed", "--gallery", old, "--model", NEW, "--data", data, "--to", `sqlite:${to}`];
  const isBegun = () => Deno.stat(`${to}.part-wal`).then(({ size }) => size > 100_000, () => false);
  try {
    const killed = spawn("gallery", args);
    while (!await isBegun()) await new Promise((resolve) => setTimeout(resolve, 5));
    killed.kill("SIGKILL");
    await outcomeOf(killed);
    await assert.rejects(Deno.stat(to), Deno.errors.NotFound);
    assert.deepEqual(await contentsOf(`${folder}/reembed.sqlite`), before);
    const stopped = await interruptWhen(spawn("gallery", [...args, "--concurrency", "1"]), isBegun);
    if (stopped.code !== 0) {
      assert.equal(stopped.code, 130);
      await assert.rejects(Deno.stat(to), Deno.errors.NotFound);
      const { code, stdout, stderr } = await gallery(...args);
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /^Embedded \d+ photos again; [1-9]\d* were there already, 0 cannot be read; 1 subjects have no/,
      );
      assert.match(stderr, /warning: no photo has no image now: no photo is of it\.\n/);
    }
    assert.match((await gallery(...args)).stderr, /^error: \S+ is there already, [^\n]+\n$/);
    const after = await contentsOf(to, newModel.card);
    const told = (collections: typeof before) =>
      collections.map(({ collection, subjects }) => ({
        collection,
        subjects: subjects.map(({ subject, metadata, expiresAt, images }) => ({
          ...{ subject, metadata, expiresAt },
          images: images.map(({ image, createdAt, request }) => ({ image, createdAt, request })).sort(byId),
        })).sort((a, b) => a.subject < b.subject ? -1 : 1),
      }));
    const expected = told(before);
    expected[0].subjects.find(({ subject }) => subject === "no photo")!.images = [];
    assert.deepEqual(told(after), expected);
    const next = await startWorker({ TRIPTYCH_MODEL: NEW, TRIPTYCH_GALLERY: `sqlite:${to}` });
    try {
      const photo = (await Array.fromAsync(Deno.readDir(`${data}/${first.subject}`)))[0].name;
      const image = await Deno.readFile(`${data}/${first.subject}/${photo}`);
      const { body } = await clientOf(next.base)("POST /match", { image, headers: { "content-type": "image/jpeg" } });
      assert.deepEqual([body.matches[0].subject, body.matches[0].distance], [first.subject, 0]);
      assert.deepEqual([body.fingerprint, body.matches[0].metadata], [newModel.card.fingerprint, { kept: true }]);
    } finally {
      await next.stop();
    }
  } finally {
    isOver = true;
    await load;
    await worker.stop();
  }
  assert.ok(answers > 100, `${answers}`);
});

Deno.test("re-embedding takes all photos of a subject of whose images nothing tells the photo, and refuses photos of nobody", async () => {
  const data = await smallDataset(2, 1, 2), path = `${folder}/untold.sqlite`, to = `${folder}/told.sqlite`;
  const [{ name: subject }] = [...Deno.readDirSync(`${data}/test`)];
  const store = await openGallery({ kind: "sqlite", path }, model.card);
  await store.addImage("c", subject, vector());
  await store.addImage("c", "somebody", vector());
  await store.close();
  const args = ["reembed", "--gallery", `sqlite:${path}`, "--model", NEW, "--to", `sqlite:${to}`, "--data"];
  assert.match(await succeeds(...args, data, "--collection", "c"), /^Embedded 2 photos again;.*; 1 subjects have no/);
  const [{ subjects }] = await contentsOf(to, newModel.card);
  assert.deepEqual(
    subjects.map((record) => [record.subject, record.images.length]).sort(),
    [
      [subject, 2],
      ["somebody", 0],
    ].sort(),
  );
  await Deno.rename(`${data}/test/${subject}`, `${data}/test/stranger`);
  await Deno.remove(to);
  const refused = await gallery(...args, data, "--collection", "c");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /error: No photo is of a subject of the collection "c" in [^\n]+\n$/);
  await assert.rejects(Deno.stat(to), Deno.errors.NotFound);
});

function byId(a: { image: string }, b: { image: string }): number {
  return a.image < b.image ? -1 : 1;
}

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

Deno.test("a gallery that is encrypted is exported only when it is said that the snapshot is not", async () => {
  const TRIPTYCH_GALLERY_KEY = "AQ".repeat(21) + "A=", url = `sqlite:${folder}/sealed.sqlite`;
  const snapshot = `${folder}/opened.snapshot`, plain = await filled("plain", 5);
  await succeeds("export", "--gallery", `sqlite:${plain}`, "--out", snapshot);
  const inSealed = (...args: string[]) =>
    outcomeOf(spawn("gallery", [...args, "--gallery", url], { TRIPTYCH_GALLERY_KEY }));
  assert.equal((await inSealed("import", "--from", snapshot)).code, 0);
  await Deno.remove(snapshot);
  const refused = await inSealed("export", "--out", snapshot);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: sqlite:.* is encrypted, and a snapshot is not: .*; add --unencrypted .*\.\n$/);
  await assert.rejects(Deno.stat(snapshot), Deno.errors.NotFound);
  const { code, stderr } = await inSealed("export", "--out", snapshot, "--unencrypted");
  assert.equal(code, 0, stderr);
  const { collections } = await decodeSnapshot(await Deno.readFile(snapshot), snapshot);
  assert.equal(collections.find(({ collection }) => collection === "c")?.subjects.length, 5);
});
