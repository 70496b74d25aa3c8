import assert from "node:assert/strict";
import { rankOneOfSingleEnrolment } from "../../../../trainer/metrics/mod.ts";
import { randomStream } from "../../../../trainer/random.ts";

/** By enrolling every choice of one image each, as the definition has it. */
function byEnumeration(places: number[], labels: number[]): number {
  const rows = (label: number) => labels.flatMap((other, i) => other === label ? [i] : []);
  const identities = [...new Set(labels)];
  let galleries: number[][] = [[]];
  for (const identity of identities) galleries = galleries.flatMap((g) => rows(identity).map((row) => [...g, row]));
  const shares = labels.map((label, probe) => {
    const able = galleries.filter((gallery) => !gallery.includes(probe));
    const found = able.filter((gallery) => {
      const distance = (row: number) => Math.abs(places[row] - places[probe]);
      const own = gallery.find((row) => labels[row] === label)!;
      return gallery.every((row) => row === own || distance(row) > distance(own));
    });
    return found.length / able.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

Deno.test("rankOneOfSingleEnrolment() is the mean over all choices of the enrolled images", () => {
  const random = randomStream(1, "test");
  for (const labels of [[0, 0, 1, 1], [0, 0, 0, 1, 1, 2, 2, 2, 2], [3, 3, 1, 1, 1, 2, 2]]) {
    const places = labels.map((label) => label + 2 * random());
    const actual = rankOneOfSingleEnrolment({ embeddings: Float32Array.from(places), labels });
    assert.ok(Math.abs(actual - byEnumeration([...Float32Array.from(places)], labels)) < 1e-9);
  }
});

Deno.test("rankOneOfSingleEnrolment() counts a tie against", () => {
  assert.equal(rankOneOfSingleEnrolment({ embeddings: Float32Array.of(1, 1, 1, 1), labels: [0, 0, 1, 1] }), 0);
});

Deno.test("rankOneOfSingleEnrolment() finds no image that was missed, and nothing by one", () => {
  const images = { embeddings: Float32Array.of(0, 0.1, 5, 5.1), labels: [0, 0, 1, 1] };
  assert.equal(rankOneOfSingleEnrolment(images), 1);
  // Of identity 0 each of three probes has two images to find: 2 of 6 pairs are left. Those of 1 are as they were.
  assert.ok(Math.abs(rankOneOfSingleEnrolment({ ...images, missed: [0] }) - (2 * 1 / 2 + 2) / 5) < 1e-9);
});
