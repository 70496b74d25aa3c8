import assert from "node:assert/strict";
import { GalleryError } from "../../../shared/errors.ts";
import { decodeSnapshot } from "../../../shared/decode_snapshot.ts";
import type { GallerySnapshot } from "../../../shared/snapshot.ts";
import { decodeSnapshotV1 } from "../../../shared/snapshot_v1.ts";
import { encodeSnapshotV1 } from "../../support/snapshot_v1.ts";

const image = { image: "i1", createdAt: "2026-01-02T03:04:05.000Z", embedding: Float32Array.of(0, 0.5, -0.1) };
const lime = { subject: "lime", metadata: { a: 1 }, expiresAt: "2030-01-01T00:00:00.000Z", revision: "r" };
const SNAPSHOT: GallerySnapshot = {
  fingerprint: "sha256:1",
  dimensions: 3,
  collections: [{
    collection: "fruit",
    subjects: [{ ...lime, images: [{ ...image, thumbnail: Uint8Array.of(0xff, 0xd8, 1) }, { ...image, image: "i2" }] }],
  }],
};

Deno.test("decodeSnapshotV1() reads what former versions wrote", async () => {
  assert.deepEqual(await decodeSnapshotV1(await encodeSnapshotV1(SNAPSHOT), "here"), SNAPSHOT);
});

Deno.test("decodeSnapshotV1() refuses any flipped bit, and decodeSnapshot() says what to do with a whole one", async () => {
  const bytes = await encodeSnapshotV1(SNAPSHOT);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(decodeSnapshotV1(flipped, "here"), GalleryError, `bit ${bit}`);
  }
  await assert.rejects(decodeSnapshot(bytes, "here"), /^GalleryError: here is of a former version; .*gallery import/);
});
