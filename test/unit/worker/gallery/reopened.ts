import assert from "node:assert/strict";
import { type Gallery, RepeatedKeyError, StaleError } from "../../../../worker/gallery/gallery.ts";
import { randomFrom, unitVector } from "./records.ts";

/** Asserts that a gallery that lasts holds all when it is opened again. @param open it: at first there is none */
export async function assertSameAgain(open: () => Promise<Gallery>): Promise<void> {
  const random = randomFrom(1), vector = unitVector(random), other = unitVector(random);
  const first = await open();
  const beside = { request: { key: "k", digest: "d" }, thumbnail: Uint8Array.of(1, 2, 3) };
  const { image } = await first.addImage("fruit", "lime", vector, beside);
  await first.addImage("fruit", "lime", other);
  await first.putSubject("fruit", "plum", { metadata: { tags: ["x"] }, expiresAt: "2999-01-01T00:00:00.000Z" });
  await first.putCollection("empty");
  await first.addImage("gone", "pear", vector);
  await first.deleteCollection("gone");
  const pear = { subject: "pear", metadata: {}, expiresAt: null };
  const pictured = (image: string, embedding: Float32Array) => ({
    image,
    embedding,
    createdAt: "2025-01-02T03:04:05.000Z",
  });
  await first.restore("fruit", [{ ...pear, revision: "r1", images: [pictured("i1", vector), pictured("i2", vector)] }]);
  const replaced = { ...pear, revision: "r2", images: [pictured("i1", other), pictured("i2", vector)] };
  await first.restore("fruit", [replaced], true);
  const lime = await first.subject("fruit", "lime"), plum = await first.subject("fruit", "plum");
  const collections = await first.collections();
  await first.close();
  const again = await open();
  assert.deepEqual(await again.collections(), collections);
  assert.deepEqual(await again.subject("fruit", "lime"), lime);
  assert.deepEqual(await again.subject("fruit", "plum"), plum);
  assert.deepEqual(await again.subject("fruit", "pear"), replaced);
  assert.equal((await again.search("fruit", other, { k: 1 })).nearest[0].distance, 0);
  assert.equal((await again.addImage("fruit", "lime", vector, beside)).image, image);
  const changed = { request: { key: "k", digest: "e" } };
  await assert.rejects(again.addImage("fruit", "lime", vector, changed), RepeatedKeyError);
  await assert.rejects(again.deleteSubject("fruit", "lime", ["old"]), StaleError);
  await again.deleteSubject("fruit", "lime", [lime.revision]);
  await again.close();
}
