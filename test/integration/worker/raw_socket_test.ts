import assert from "node:assert/strict";
import { clientOf, model } from "./client.ts";
import { startWorker, type WorkerProcess } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-raw-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const image = await picture(1);

/** How long the worker gets to answer or to hang up. */
const PATIENCE_MILLISECONDS = 2_000;

/** Sends bytes as they are. @returns all that comes back until the worker hangs up, patience ends, or it is enough */
async function send(
  worker: WorkerProcess,
  text: string,
  { patience = PATIENCE_MILLISECONDS, enough = Infinity } = {},
): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(worker.base).port) });
  await connection.write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  const parts: string[] = [], buffer = new Uint8Array(1 << 16);
  const deadline = new Promise<null>((resolve) => {
    const timer = setTimeout(() => resolve(null), patience);
    Deno.unrefTimer(timer);
  });
  for (;;) {
    const length = await Promise.race([connection.read(buffer).catch(() => null), deadline]);
    if (length === null) return parts.join("");
    parts.push(new TextDecoder().decode(buffer.subarray(0, length)));
    if (statusesOf(parts.join("")).length >= enough) return parts.join("");
  }
}

function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
}

async function withWorker(use: (worker: WorkerProcess) => Promise<void>): Promise<void> {
  const worker = await startWorker({ TRIPTYCH_MODEL });
  try {
    await use(worker);
  } finally {
    await worker.stop();
  }
}

const HEAD = "POST /embed HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/png\r\n";
const SMUGGLED = "GET /model HTTP/1.1\r\nhost: localhost\r\n\r\n";

/** Requests of which two readers could think differently where they end, or that are none. */
const AMBIGUOUS: Record<string, string> = {
  "two lengths that differ": `${HEAD}content-length: 4\r\ncontent-length: 40\r\n\r\nabcd${SMUGGLED}`,
  "a length that is no number": `${HEAD}content-length: 4x\r\n\r\nabcd${SMUGGLED}`,
  "a length with a sign": `${HEAD}content-length: +4\r\n\r\nabcd${SMUGGLED}`,
  "a chunk whose size is no number": `${HEAD}transfer-encoding: chunked\r\n\r\nZZ\r\nabcd\r\n0\r\n\r\n`,
  "a chunk longer than it says": `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n`,
  "an encoding that is not known": `${HEAD}transfer-encoding: xchunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n`,
  "a header folded over two lines": `${HEAD}x-folded: a\r\n b\r\ncontent-length: 0\r\n\r\n`,
  "a space before the colon": `${HEAD}content-length : 4\r\n\r\nabcd`,
  "a zero byte in a header": `${HEAD}x-zero: a\0b\r\ncontent-length: 0\r\n\r\n`,
  "no version": "GET /health/live\r\n\r\n",
  "a later version": "GET /health/live HTTP/9.9\r\nhost: localhost\r\n\r\n",
  "TLS on a plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "two hosts": "GET /health/live HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
  "a million bytes of headers": `GET /health/live HTTP/1.1\r\nhost: localhost\r\n${"x: y\r\n".repeat(170_000)}\r\n`,
};

Deno.test("what two readers could understand differently is refused, and its connection answers nothing else", async () => {
  await withWorker(async (worker) => {
    for (const [what, bytes] of Object.entries(AMBIGUOUS)) {
      const statuses = statusesOf(await send(worker, bytes));
      assert.ok(statuses.length <= 1, `${what}: ${statuses}`);
      assert.ok(statuses.every((status) => status >= 400), `${what}: ${statuses}`);
    }
    assert.equal((await clientOf(worker.base)("POST /embed", { image })).status, 200);
  });
});

Deno.test("where a length and chunks are both told, the chunks hold, or nothing is taken", async () => {
  await withWorker(async (worker) => {
    const both = `${HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`;
    const statuses = statusesOf(await send(worker, both + SMUGGLED));
    // An empty body is 400; what follows it is a request of its own, not one hidden in a body.
    assert.ok(statuses.length <= 2 && statuses[0] === 400, String(statuses));
  });
});

Deno.test("a body that trickles in is answered with 408 within 10 s, and those beside it meanwhile", async () => {
  await withWorker(async (worker) => {
    const start = performance.now();
    const slow = send(worker, `${HEAD}content-length: 1000000\r\n\r\nabc`, { patience: 10_000, enough: 1 });
    assert.equal((await clientOf(worker.base)("POST /embed", { image })).status, 200);
    assert.deepEqual(statusesOf(await slow), [408]);
    assert.ok(performance.now() - start < 10_000);
  });
});

Deno.test("a request that is broken off, anywhere, leaves the worker as it was", async () => {
  await withWorker(async (worker) => {
    const call = clientOf(worker.base);
    const { body: { embedding } } = await call("POST /embed", { image });
    const whole = `${HEAD}content-length: ${image.length}\r\n\r\n${String.fromCharCode(...image)}`;
    for (let cut = 1; cut < whole.length; cut += 97) await send(worker, whole.slice(0, cut), { patience: 5 });
    assert.deepEqual((await call("POST /embed", { image })).body.embedding, embedding);
  });
});
