import assert from "node:assert/strict";
import { hardestConfusions, identityFigures, neighboursOf } from "../../../../trainer/report/neighbours.ts";

/** On a line: identity 0 at 0 and 1, identity 1 at 1.5 and 3, identity 2 alone at 9. */
const labels = [0, 0, 1, 1, 2];
const neighbours = neighboursOf({ embeddings: Float32Array.of(0, 1, 1.5, 3, 9), labels });

Deno.test("neighboursOf() finds the nearest image of the same and of another identity", () => {
  assert.deepEqual(neighbours[1], {
    query: 1,
    right: { row: 0, distance: 1 },
    wrong: { row: 2, distance: 0.5 },
    found: false,
  });
  assert.deepEqual(neighbours.map(({ found }) => found), [true, false, false, true, false]);
});

Deno.test("neighboursOf() finds nothing right for an identity with one image", () => {
  assert.equal(neighbours[4].right, undefined);
});

Deno.test("neighboursOf() counts a tie against the query, as recall@1 does", () => {
  const [tied] = neighboursOf({ embeddings: Float32Array.of(0, 1, -1), labels: [0, 0, 1] });
  assert.equal(tied.found, false);
});

Deno.test("hardestConfusions() lists the confused queries, the one that is missed by most first", () => {
  assert.deepEqual(hardestConfusions(neighbours, 10).map(({ query }) => query), [2, 1]);
  assert.deepEqual(hardestConfusions(neighbours, 1).map(({ query }) => query), [2]);
});

Deno.test("hardestConfusions() lists the closest calls where nothing is confused", () => {
  const apart = neighboursOf({ embeddings: Float32Array.of(0, 1, 3, 3.1), labels: [0, 0, 1, 1] });
  const [first] = hardestConfusions(apart, 1);
  assert.deepEqual([first.query, first.found], [1, true]);
});

Deno.test("identityFigures() lists identities worst first, with whom each is taken for", () => {
  assert.deepEqual(identityFigures(neighbours, labels), [
    { identity: 0, images: 2, recallAt1: 0.5, takenFor: { identity: 1, times: 1 } },
    { identity: 1, images: 2, recallAt1: 0.5, takenFor: { identity: 0, times: 1 } },
    { identity: 2, images: 1, recallAt1: null, takenFor: null },
  ]);
});
