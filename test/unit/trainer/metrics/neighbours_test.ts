import assert from "node:assert/strict";
import {
  failuresOf,
  galleryProbe,
  hardestConfusions,
  identityFigures,
  leaveOneOut,
} from "../../../../trainer/metrics/mod.ts";

/** On a line: identity 0 at 0 and 1, identity 1 at 1.5 and 3, identity 2 alone at 9. */
const labels = [0, 0, 1, 1, 2];
const { neighbours } = leaveOneOut({ embeddings: Float32Array.of(0, 1, 1.5, 3, 9), labels });

Deno.test("leaveOneOut() finds the nearest image of the same and of another identity", () => {
  assert.deepEqual(neighbours[1], {
    query: 1,
    right: { row: 0, distance: 1 },
    wrong: { row: 2, distance: 0.5 },
    found: false,
  });
  assert.deepEqual(neighbours.map(({ found }) => found), [true, false, false, true, false]);
});

Deno.test("leaveOneOut() finds nothing right for an identity with one image", () => {
  assert.equal(neighbours[4].right, undefined);
});

Deno.test("leaveOneOut() counts a tie against the query, as recall@1 does", () => {
  const { neighbours, recallAt } = leaveOneOut({ embeddings: Float32Array.of(0, 1, -1), labels: [0, 0, 1] });
  assert.deepEqual(neighbours.map(({ found }) => found), [false, true, false]);
  assert.equal(recallAt[1], 1 / 2);
});

Deno.test("hardestConfusions() lists the confused queries, the one that is missed by most first", () => {
  assert.deepEqual(hardestConfusions(neighbours, 10).map(({ query }) => query), [2, 1]);
  assert.deepEqual(hardestConfusions(neighbours, 1).map(({ query }) => query), [2]);
});

Deno.test("hardestConfusions() lists the closest calls where nothing is confused", () => {
  const apart = leaveOneOut({ embeddings: Float32Array.of(0, 1, 3, 3.1), labels: [0, 0, 1, 1] });
  const [first] = hardestConfusions(apart.neighbours, 1);
  assert.deepEqual([first.query, first.found], [1, true]);
});

Deno.test("identityFigures() lists identities worst first, with whom each is taken for", () => {
  assert.deepEqual(identityFigures(neighbours, labels), [
    { identity: 0, images: 2, recallAt1: 0.5, takenFor: { identity: 1, times: 1 } },
    { identity: 1, images: 2, recallAt1: 0.5, takenFor: { identity: 0, times: 1 } },
    { identity: 2, images: 1, recallAt1: null, takenFor: null },
  ]);
});

Deno.test("failuresOf() lists what was not found, with what was found instead, and nothing that had nothing to find", () => {
  const [first, second, ...none] = failuresOf(neighbours, labels);
  assert.deepEqual(none, []);
  assert.deepEqual(first, {
    identity: 0,
    images: 2,
    recallAt1: 0.5,
    takenFor: { identity: 1, times: 1 },
    failures: [{ query: 1, right: { row: 0, distance: 1 }, wrong: { row: 2, distance: 0.5 }, found: false }],
  });
  assert.deepEqual(second.failures.map(({ query }) => query), [2]);
});

Deno.test("failuresOf() is empty where everything is found", () => {
  const { neighbours } = leaveOneOut({ embeddings: Float32Array.of(0, 1, 5, 6), labels: [3, 3, 4, 4] });
  assert.deepEqual(failuresOf(neighbours, [3, 3, 4, 4]), []);
});

Deno.test("failuresOf() names what a probe is taken for by the gallery's own rows", () => {
  const gallery = { embeddings: Float32Array.of(0, 4, 8), labels: [7, 8, 9] };
  const probes = { embeddings: Float32Array.of(3, 1, 7, 5), labels: [7, 7, 9, 5] };
  const { neighbours } = galleryProbe(gallery, probes);
  const [only, ...none] = failuresOf(neighbours, probes.labels, gallery.labels);
  assert.deepEqual(none, []);
  assert.deepEqual([only.identity, only.images, only.recallAt1], [7, 2, 0.5]);
  assert.deepEqual(only.takenFor, { identity: 8, times: 1 });
  assert.deepEqual(only.failures, [
    { query: 0, right: { row: 0, distance: 3 }, wrong: { row: 1, distance: 1 }, found: false },
  ]);
});
