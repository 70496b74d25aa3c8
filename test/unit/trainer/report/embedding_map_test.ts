import assert from "node:assert/strict";
import { embeddingMap } from "../../../../trainer/report/embedding_map.ts";
import { reportData } from "./report_data.ts";

const { embeddings, probes } = reportData();

Deno.test("embeddingMap() is the same for the same seed and another for another", () => {
  const map = embeddingMap(embeddings, probes.length, 1);
  assert.deepEqual(embeddingMap(embeddings, probes.length, 1), map);
  assert.notDeepEqual(embeddingMap(embeddings, probes.length, 2), map);
});

Deno.test("embeddingMap() lays every image within the unit square", () => {
  const { rows, x, y } = embeddingMap(embeddings, probes.length, 1);
  assert.deepEqual(rows, probes.map((_, i) => i));
  for (const value of [...x, ...y]) assert.ok(value >= 0 && value <= 1);
});

Deno.test("embeddingMap() lays out images that are few or all alike", () => {
  for (const images of [1, 2, 3, 5, 30]) {
    const { x, y } = embeddingMap(new Float32Array(2 * images).fill(1), images, 1);
    assert.equal(x.length, images);
    assert.ok([...x, ...y].every(Number.isFinite));
  }
});
