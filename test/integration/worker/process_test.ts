import assert from "node:assert/strict";
import { type Call, clientOf, contract, model } from "./client.ts";
import { runToEnd, startServe, startWorker } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-worker-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const pictures = await Promise.all([0, 1, 2].map(picture));

Deno.test("a gallery survives SIGTERM, which ends the worker with 0 within 4 s, and a new start", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: `sqlite:${folder}/restart/gallery.sqlite` };
  const first = await startWorker(env);
  const call = clientOf(first.base);
  for (const [i, image] of pictures.entries()) await call(`POST /collections/c/subjects/s${i}/images`, { image });
  assert.equal((await call("DELETE /collections/c/subjects/s1")).status, 204);
  const { code, milliseconds } = await first.stop();
  assert.equal(code, 0);
  assert.ok(milliseconds < 4_000, `it took ${milliseconds} ms`);
  const second = await startWorker(env);
  const { body } = await clientOf(second.base)("GET /collections/c/subjects");
  const { matches } = (await clientOf(second.base)("POST /match?collection=c", { image: pictures[2] })).body;
  await second.stop("SIGINT");
  assert.deepEqual(body.subjects.map(({ subject }: { subject: string }) => subject), ["s0", "s2"]);
  assert.equal(matches[0].subject, "s2");
});

Deno.test("kill -9 during enrolment loses nothing that was acknowledged", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: `sqlite:${folder}/killed.sqlite` };
  const acknowledged = new Set<string>();
  let n = 0;
  for (let round = 0; round < 3; round++) {
    const worker = await startWorker(env);
    const call = clientOf(worker.base);
    const { subjects } = (await call("GET /collections/default/subjects?limit=1000")).body;
    const names = new Set(subjects.map(({ subject }: { subject: string }) => subject));
    for (const subject of acknowledged) assert.ok(names.has(subject), `${subject} was lost`);
    const goal = acknowledged.size + 20 + 7 * round;
    const enrol = async () => {
      try {
        while (true) {
          const subject = `s${n++}`;
          const { status } = await call(`POST /collections/default/subjects/${subject}/images`, { image: pictures[0] });
          if (status === 201) acknowledged.add(subject);
          if (acknowledged.size === goal) worker.child.kill("SIGKILL");
        }
      } catch {
        // It is dead.
      }
    };
    await Promise.all([enrol(), enrol(), enrol()]);
    await worker.stop("SIGKILL").catch(() => {});
  }
  assert.ok(acknowledged.size >= 60);
});

Deno.test("workers that share a database answer from each other's enrolments and deletions at once", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: `sqlite:${folder}/shared.sqlite` };
  const workers = await Promise.all([startWorker(env), startWorker(env)]);
  const [a, b] = workers.map(({ base }) => clientOf(base));
  for (const [i, image] of pictures.entries()) await a(`POST /collections/c/subjects/s${i}/images`, { image });
  const match = async () => (await b("POST /match?collection=c", { image: pictures[2] })).body.matches[0].subject;
  assert.equal(await match(), "s2");
  assert.equal((await a("DELETE /collections/c/subjects/s2")).status, 204);
  assert.notEqual(await match(), "s2");
  for (const worker of workers) assert.equal((await worker.stop()).code, 0);
});

Deno.test("a request under way when SIGTERM comes is answered, new ones are refused", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL });
  const [image] = pictures;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(worker.base).port) });
  const received = connection.readable.pipeThrough(new TextDecoderStream()).getReader();
  const head = [
    "POST /embed HTTP/1.1",
    "host: localhost",
    "content-type: image/png",
    `content-length: ${image.length}`,
  ];
  const sent = connection.writable.getWriter();
  await sent.write(new TextEncoder().encode([...head, "expect: 100-continue", "", ""].join("\r\n")));
  // The worker has begun to read the body.
  assert.match((await received.read()).value ?? "", /^HTTP\/1.1 100 /);
  await sent.write(image.slice(0, 100));
  const stopped = worker.stop();
  const call = clientOf(worker.base);
  while ((await call("GET /health/ready")).status !== 503);
  assert.equal((await call("POST /embed", { image })).status, 503);
  await sent.write(image.slice(100));
  assert.match((await received.read()).value ?? "", /^HTTP\/1.1 200 /);
  const { code, milliseconds } = await stopped;
  assert.equal(code, 0);
  assert.ok(milliseconds < 4_000, `it took ${milliseconds} ms`);
});

Deno.test("a request that never ends does not hold up the end of the worker, nor the start of the next", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: `sqlite:${folder}/handed-on.sqlite` };
  const worker = await startWorker(env);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(worker.base).port) });
  const head = [
    "POST /embed HTTP/1.1",
    "host: localhost",
    "content-type: image/png",
    "content-length: 9",
    "expect: 100-continue",
    "",
    "",
  ];
  await connection.write(new TextEncoder().encode(head.join("\r\n")));
  await connection.read(new Uint8Array(100));
  const stopped = worker.stop();
  const next = await startWorker(env);
  const { code, milliseconds } = await stopped;
  await next.stop();
  assert.equal(code, 0);
  assert.ok(milliseconds < 4_000, `it took ${milliseconds} ms`);
});

Deno.test("a body far over the limit is answered with 413 over the network, announced or streamed", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_MAX_BODY: "100000" });
  const call = clientOf(worker.base);
  try {
    for (const size of [100_001, 1 << 20, 40 << 20]) {
      assert.equal((await call("POST /embed", { image: new Uint8Array(size) })).status, 413);
      const stream = new Blob([new Uint8Array(size)]).stream();
      assert.equal((await call("POST /embed", { body: stream, headers: { "content-type": "image/png" } })).status, 413);
    }
    const nobody = await call("POST /collections/c/subjects/a", { image: new Uint8Array(90_000) });
    assert.equal(nobody.status, 405);
    assert.equal((await call("POST /embed", { image: pictures[0] })).status, 200);
  } finally {
    await worker.stop();
  }
});

Deno.test("a worker answers a batch, and what it says of itself, over the network as in its process", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL });
  const call = clientOf(worker.base);
  try {
    const kept = async (route: string, request: Call = {}) => {
      const answer = await call(route, request);
      contract.assertKept(route, answer);
      return answer;
    };
    for (const route of ["GET /openapi.json", "GET /docs", "GET /metrics"]) {
      assert.equal((await kept(route)).status, 200);
    }
    for (const [i, image] of pictures.entries()) await kept(`POST /collections/c/subjects/s${i}/images`, { image });
    const { results } = (await kept("POST /match?collection=c", { form: { image: pictures } })).body;
    const nearest = results.map(({ matches }: { matches: { subject: string }[] }) => matches[0].subject);
    assert.deepEqual(nearest, ["s0", "s1", "s2"]);
  } finally {
    await worker.stop();
  }
});

Deno.test("deno serve takes the same entry, and stops with 0 too", async () => {
  const worker = await startServe({ TRIPTYCH_MODEL });
  const call = clientOf(worker.base);
  assert.equal((await call("GET /health/ready")).status, 200);
  await call("POST /collections/c/subjects/a/images", { image: pictures[0] });
  assert.equal((await call("POST /match?collection=c", { image: pictures[0] })).body.decision, "match");
  assert.equal((await worker.stop()).code, 0);
});

Deno.test("Deno Deploy gets answers from the default export, with the gallery in memory", async () => {
  const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: "", TRIPTYCH_KEYS: "match:k", DENO_DEPLOYMENT_ID: "x" };
  const { code, stdout } = await runToEnd(env, "test/integration/worker/hosted.ts");
  assert.equal(code, 0);
  assert.equal(stdout.trim().split("\n").at(-1), "200 200");
});

Deno.test("a worker with keys listens for everybody", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_KEYS: "match:k" });
  const headers = { authorization: "Bearer k" };
  const other = Deno.networkInterfaces().find(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  const base = other === undefined ? worker.base : worker.base.replace("127.0.0.1", other.address);
  assert.equal((await clientOf(base)("GET /model", { headers })).status, 200);
  assert.equal((await clientOf(base)("GET /model")).status, 401);
  await worker.stop();
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
