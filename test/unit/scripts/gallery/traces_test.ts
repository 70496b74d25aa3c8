import assert from "node:assert/strict";
import { tracesIn } from "../../../../scripts/gallery/traces.ts";

const embedding = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i + 1));
const secret = new Uint8Array(embedding.buffer);

async function tracesOf(bytes: Uint8Array): Promise<number> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    return await tracesIn(path, [secret]);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("tracesIn() finds what was erased at any offset, also where parts of a file are read one after the other", async () => {
  const size = (16 << 20) + 4096;
  for (const at of [0, 1, 1023, (16 << 20) - 300, (16 << 20) - 1, size - secret.length]) {
    const bytes = new Uint8Array(size).fill(0x5a);
    bytes.set(secret, at);
    assert.equal(await tracesOf(bytes), 8, `${at}`);
  }
});

Deno.test("tracesIn() finds a part of what was erased, and nothing where nothing is", async () => {
  const bytes = new Uint8Array(10_000);
  assert.equal(await tracesOf(bytes), 0);
  bytes.set(secret.subarray(200, 300), 77);
  assert.equal(await tracesOf(bytes), 1);
  assert.equal(await tracesOf(new Uint8Array()), 0);
});
