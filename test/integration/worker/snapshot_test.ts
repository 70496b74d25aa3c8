import assert from "node:assert/strict";
import { encodeSnapshot } from "../../../shared/encode_snapshot.ts";
import type { SubjectRecord } from "../../../shared/snapshot.ts";
import { replaceFile } from "../../../shared/replace_file.ts";
import { concat } from "../../support/bytes.ts";
import { clientOf, contract, model } from "./client.ts";
import { startWorker, type WorkerProcess } from "./process.ts";
import { tinyModel, writeModel } from "./tiny_model.ts";

/** How many versions follow each other. CI has time for a few; VERSIONS=20 is the whole test. */
const VERSIONS = Number(Deno.env.get("VERSIONS") ?? 5);

const folder = await Deno.makeTempDir({ prefix: "triptych-snapshot-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const { fingerprint, embedding: { dimensions } } = model.card;
/** How many subjects a version has, and how many of them are asked for. */
const SUBJECTS = 50;

/** The unit vector along an axis. */
function axis(i: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, j) => j === i % dimensions ? 1 : 0);
}

/** A snapshot all of whose subjects say that they are of one version. */
function versionOf(version: number, of = fingerprint): Uint8Array<ArrayBuffer> {
  const subjects = Array.from({ length: SUBJECTS }, (_, i): SubjectRecord => ({
    subject: `s${i}`,
    metadata: { version },
    expiresAt: null,
    revision: `v${version}`,
    images: [{ image: `${version}-${i}`, createdAt: "2026-01-02T03:04:05.000Z", embedding: axis(i) }],
  }));
  const collections = [{ collection: "c", subjects }, { collection: `v${version}`, subjects: [] }];
  return concat(encodeSnapshot({ fingerprint: of, dimensions, collections }));
}

/** A server of one file that can be replaced, and answers a request on a condition. */
function serveFile(bytes: Uint8Array<ArrayBuffer>, headersOf: (version: number) => Record<string, string>) {
  let version = 1, cutTo = Infinity, asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    asked++;
    const headers = headersOf(version);
    const isSeen = (condition: string, tag: string) =>
      headers[tag] !== undefined && request.headers.get(condition) === headers[tag];
    if (isSeen("if-none-match", "etag") || isSeen("if-modified-since", "last-modified")) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(cutTo < bytes.length ? bytes.slice(0, cutTo) : bytes, { headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/gallery.snapshot?token=s3cret`,
    replace(next: Uint8Array<ArrayBuffer>, cut = Infinity) {
      [bytes, cutTo, version] = [next, cut, version + 1];
    },
    asked: () => asked,
    stop: () => server.shutdown(),
  };
}

/** A server that announces so many bytes, and sends some of them. */
function sendRaw(announced: number): { url: string; close(): void } {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1000));
      const head = `HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: ${announced}\r\n\r\n`;
      await connection.write(concat([new TextEncoder().encode(head), versionOf(1).subarray(0, 1000)]));
      connection.close();
    }
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/gallery?token=s3cret`,
    close: () => listener.close(),
  };
}

async function versionAt(worker: WorkerProcess): Promise<number> {
  const { body } = await clientOf(worker.base)("GET /collections/c/subjects/s0");
  return body.metadata.version;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await condition()) {
    assert.ok(performance.now() < deadline, "it did not come to pass within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Asks without a pause until it is told to stop, and fails unless every answer is right and wholly of one version. */
async function matchMeanwhile(worker: WorkerProcess, isOver: () => boolean): Promise<number> {
  const call = clientOf(worker.base);
  let answers = 0;
  while (!isOver()) {
    const json = { embedding: [...axis(answers)], fingerprint };
    const { status, body } = await call("POST /match?collection=c&k=50", { json });
    assert.equal(status, 200, JSON.stringify(body));
    const versions = new Set(body.matches.map(({ metadata }: { metadata: { version: number } }) => metadata.version));
    const images = new Set(body.matches.map(({ image }: { image: string }) => image.split("-")[0]));
    assert.deepEqual([body.subjects, versions.size, images.size], [SUBJECTS, 1, 1]);
    assert.equal(body.matches[0].distance, 0);
    answers++;
  }
  return answers;
}

Deno.test(`${VERSIONS} new versions at a path and at URLs are taken up under load, each answer is of one, and damage changes nothing`, async () => {
  const path = `${folder}/swapped.snapshot`;
  await Deno.writeFile(path, versionOf(1));
  const byEtag = serveFile(versionOf(1), (version) => ({ etag: `"${version}"` }));
  const byDate = serveFile(versionOf(1), (version) => ({ "last-modified": new Date(version * 1e6).toUTCString() }));
  const locations = [path, byEtag.url, byDate.url];
  const workers = await Promise.all(
    locations.map((TRIPTYCH_GALLERY) => startWorker({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY })),
  );
  let isOver = false;
  const load = Promise.all(workers.flatMap((worker) => [1, 2].map(() => matchMeanwhile(worker, () => isOver))));
  const areAt = (version: number) => async () =>
    (await Promise.all(workers.map(versionAt))).every((present) => present === version);
  const replaceAll = async (bytes: Uint8Array<ArrayBuffer>) => {
    await replaceFile(path, [bytes]);
    byEtag.replace(bytes);
    byDate.replace(bytes);
  };
  try {
    for (let version = 2; version <= VERSIONS + 1; version++) {
      await replaceAll(versionOf(version));
      await until(areAt(version));
    }
    const damaged = versionOf(VERSIONS + 2), other = versionOf(VERSIONS + 3, (await tinyModel(2)).card.fingerprint);
    damaged[damaged.length >> 1] ^= 16;
    for (const bad of [damaged, other, damaged.slice(0, 1000), new Uint8Array()]) {
      await replaceAll(bad);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.ok(await areAt(VERSIONS + 1)());
    }
    await replaceAll(versionOf(VERSIONS + 4));
    await until(areAt(VERSIONS + 4));
    for (const worker of workers) {
      const call = clientOf(worker.base);
      const { body } = await call("GET /collections");
      assert.deepEqual(body.collections.map(({ collection }: { collection: string }) => collection), [
        "c",
        "default",
        `v${VERSIONS + 4}`,
      ]);
      assert.match((await call("GET /metrics")).body, /\ntriptych_gallery_subjects 50\n/);
    }
  } finally {
    isOver = true;
    const answers = await load;
    for (const worker of workers) assert.equal((await worker.stop()).code, 0);
    await Promise.all([byEtag.stop(), byDate.stop()]);
    assert.ok(answers.every((count) => count > 100), `${answers}`);
  }
});

Deno.test("a worker on a snapshot refuses every change with 405 and the methods that there are, and says so in the playground", async () => {
  const path = `${folder}/read-only.snapshot`;
  await Deno.writeFile(path, versionOf(1));
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY: path, TRIPTYCH_KEYS: "admin:a,match:m" });
  const call = clientOf(worker.base), headers = { authorization: "Bearer a" };
  try {
    for (
      const [route, allow] of [
        ["POST /collections/c/subjects/s0/images", ""],
        ["DELETE /collections/c/subjects/s0/images/1-0", ""],
        ["PUT /collections/c/subjects/s0", "GET"],
        ["DELETE /collections/c/subjects/s0", "GET"],
        ["PUT /collections/new", "GET"],
        ["DELETE /collections/c", "GET"],
      ]
    ) {
      const answer = await call(route, { headers });
      contract.assertKept(route, answer);
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, allow], route);
      assert.match(answer.body.detail, /^The gallery is a snapshot, which is read-only;/);
      assert.equal((await call(route, { headers: { authorization: "Bearer m" } })).status, 403);
    }
    const { body } = await call("GET /");
    assert.match(body, /nobody can be enrolled or deleted here/);
    assert.doesNotMatch(body, /id="enrol"/);
    assert.equal((await call("GET /collections/c/subjects?limit=1", { headers })).body.subjects[0].images, 1);
  } finally {
    await worker.stop();
  }
});

Deno.test("a URL that does not answer with a whole snapshot ends the worker with one sentence that has no query in it", async () => {
  const whole = serveFile(versionOf(1), () => ({}));
  whole.replace(versionOf(1), 1000);
  const [huge, cut] = [sendRaw(3_000_000_000), sendRaw(5_000)];
  const closed = "http://127.0.0.1:9/gallery.snapshot?token=s3cret";
  for (
    const [TRIPTYCH_GALLERY, sentence] of [
      [whole.url, /is damaged or cut off/],
      [huge.url, /Cannot fetch [^\n]+: it is larger than 2 GiB;/],
      [cut.url, /Cannot fetch /],
      [closed, /Cannot fetch /],
    ] as const
  ) {
    const message: string = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY }).then(
      () => "",
      (error) => error.message,
    );
    assert.match(message, sentence);
    assert.doesNotMatch(message, /s3cret/);
  }
  await whole.stop();
  huge.close();
  cut.close();
});

Deno.test("a server that tells no versions apart is asked once", async () => {
  const server = serveFile(versionOf(1), () => ({}));
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY: server.url });
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  assert.equal(await versionAt(worker), 1);
  await worker.stop();
  await server.stop();
  assert.equal(server.asked(), 1);
});

const hasPython = await new Deno.Command("python3", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);
if (!hasPython) console.log("There is no python3 here, so no snapshot is written in Python.");

const byPython = "a snapshot that was written in Python from the description of the format alone is served";
Deno.test(byPython, { ignore: !hasPython }, async () => {
  const path = `${folder}/python.snapshot`;
  const embeddings = Array.from({ length: 20 }, (_, i) => {
    const vector = Array.from({ length: dimensions }, (_, j) => Math.sin(1 + i * i + 7 * j));
    return vector.map((value) => value / Math.hypot(...vector));
  });
  const given = { fingerprint, dimensions, collections: { "fruit é": { "s 0": embeddings.slice(0, 3) }, c: {} } };
  embeddings.slice(3).forEach((embedding, i) => Object.assign(given.collections.c, { [`s${i}`]: [embedding] }));
  const python = new Deno.Command("python3", { args: ["test/fixtures/write_snapshot.py", path], stdin: "piped" })
    .spawn();
  const input = python.stdin.getWriter();
  await input.write(new TextEncoder().encode(JSON.stringify(given)));
  await input.close();
  assert.ok((await python.status).success);
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_GALLERY: path });
  try {
    const call = clientOf(worker.base);
    for (const [i, embedding] of embeddings.entries()) {
      const collection = encodeURIComponent(i < 3 ? "fruit é" : "c");
      const { body } = await call(`POST /match?collection=${collection}`, { json: { embedding, fingerprint } });
      assert.ok(body.matches[0].distance < 1e-3, `${i}: ${body.matches[0].distance}`);
      assert.equal(body.matches[0].image, i < 3 ? `s 0-${i}` : `s${i - 3}-0`);
      assert.deepEqual(body.matches[0].metadata, { by: "python" });
    }
  } finally {
    await worker.stop();
  }
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
