import assert from "node:assert/strict";
import { GalleryError } from "../../../shared/errors.ts";
import { decodeSnapshot, encodeSnapshot, type GallerySnapshot } from "../../../shared/snapshot.ts";

const DIMENSIONS = 3;

function image(name: string, ...embedding: number[]) {
  return { image: name, createdAt: "2026-01-02T03:04:05.000Z", embedding: Float32Array.from(embedding) };
}

const SNAPSHOT: GallerySnapshot = {
  fingerprint: `sha256:${"ab".repeat(32)}`,
  dimensions: DIMENSIONS,
  collections: [
    { collection: "default", subjects: [] },
    {
      collection: "fruit",
      subjects: [
        {
          subject: "banane géante 🍌",
          metadata: { name: "Banana", embedding: [1, 2], nested: { tags: ["a", null, 1.5, true] } },
          expiresAt: "2030-01-01T00:00:00.000Z",
          revision: "r1",
          images: [
            { ...image("i1", 1, 0, 0), request: { key: "k", digest: "d" } },
            { ...image("i2", 0, -0.5, 0.1), thumbnail: Uint8Array.of(0xff, 0xd8, 0, 1, 2) },
          ],
        },
        { subject: "lime", metadata: {}, expiresAt: null, revision: "r2", images: [] },
        { subject: "plum", metadata: {}, expiresAt: null, revision: "r3", images: [image("i3", 0, 0, 1)] },
      ],
    },
  ],
};

Deno.test("decodeSnapshot() gives back what encodeSnapshot() wrote", async () => {
  assert.deepEqual(await decodeSnapshot(await encodeSnapshot(SNAPSHOT), "here"), SNAPSHOT);
});

Deno.test("decodeSnapshot() gives back galleries of every shape", async () => {
  for (let size = 0; size < 12; size++) {
    const subjects = Array.from({ length: size }, (_, s) => ({
      subject: `s${s}`.padEnd(s, "é"),
      metadata: {},
      expiresAt: null,
      revision: "r",
      images: Array.from({ length: (s * 7 + size) % 4 }, (_, i) => image(`i${i}`, s, i, Math.fround(s / (i + 3)))),
    }));
    const snapshot = { ...SNAPSHOT, collections: [{ collection: "c", subjects }] };
    assert.deepEqual(await decodeSnapshot(await encodeSnapshot(snapshot), "here"), snapshot);
  }
});

Deno.test("decodeSnapshot() reads a view into larger bytes at any offset", async () => {
  const bytes = await encodeSnapshot(SNAPSHOT);
  for (let offset = 1; offset < 4; offset++) {
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, offset);
    assert.deepEqual(await decodeSnapshot(larger.subarray(offset, offset + bytes.length), "here"), SNAPSHOT);
  }
});

Deno.test("decodeSnapshot() refuses a snapshot with any one bit flipped", async () => {
  const bytes = await encodeSnapshot(SNAPSHOT);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(decodeSnapshot(flipped, "here"), GalleryError, `bit ${bit} of ${bytes.length * 8}`);
  }
});

Deno.test("decodeSnapshot() refuses a snapshot cut off anywhere", async () => {
  const bytes = await encodeSnapshot(SNAPSHOT);
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(decodeSnapshot(bytes.slice(0, length), "here"), GalleryError, `${length} bytes`);
  }
});

Deno.test("decodeSnapshot() refuses a later format by its number, and names the place", async () => {
  const bytes = await encodeSnapshot(SNAPSHOT);
  new DataView(bytes.buffer).setUint32(8, 2, true);
  bytes.set(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(0, -32))), bytes.length - 32);
  await assert.rejects(decodeSnapshot(bytes, "/data/gallery"), /\/data\/gallery has the format 2/);
});
