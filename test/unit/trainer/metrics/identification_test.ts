import assert from "node:assert/strict";
import { galleryProbe, identificationAt, leaveOneOut, type Neighbours } from "../../../../trainer/metrics/mod.ts";
import { clusters, shuffled } from "./clusters.ts";

Deno.test("identificationAt() is what counting searches at its thresholds says", () => {
  const images = clusters(20, 16, 8, 0.8, 61), { neighbours, recallAt } = leaveOneOut(images);
  const { at, ...sizes } = identificationAt(neighbours, images.labels, [0.1, 0.3, 1]);
  assert.deepEqual(sizes, { galleryIdentities: 19, galleryImages: 320, probes: 320, mated: 320 });
  assert.deepEqual(at.map(({ fpir }) => fpir), [0.1, 0.3, 1]);
  const positives = (distance: number) => neighbours.filter(({ wrong }) => wrong!.distance <= distance).length / 320;
  for (const { fpir, distance, fnir } of at) {
    assert.ok(positives(distance) <= fpir && positives(distance) > fpir - 1 / 320 - 1e-12);
    const returned = neighbours.filter(({ found, right }) => found && right!.distance <= distance).length;
    assert.equal(fnir, 1 - returned / 320);
  }
  assert.ok(at[0].fnir > at[1].fnir && at[1].fnir > at[2].fnir);
  assert.ok(Math.abs(at[2].fnir - (1 - recallAt[1])) < 1e-12, "without a threshold it is a miss at rank 1");
});

Deno.test("identificationAt() claims no rate that fewer than 30 false positives would show", () => {
  const rates = (identities: number, each: number) => {
    const images = clusters(identities, each, 8, 0.6, 62);
    return identificationAt(leaveOneOut(images).neighbours, images.labels).at.map(({ fpir }) => fpir);
  };
  assert.deepEqual(rates(5, 11), []);
  assert.deepEqual(rates(5, 20), [0.3]);
  assert.deepEqual(rates(30, 10), [0.1]);
  assert.deepEqual(rates(300, 10), [0.01, 0.1]);
});

Deno.test("identificationAt() does not depend on the order of the images", () => {
  const images = clusters(15, 10, 8, 0.9, 63), moved = shuffled(images, 8);
  assert.deepEqual(
    identificationAt(leaveOneOut(moved).neighbours, moved.labels),
    identificationAt(leaveOneOut(images).neighbours, images.labels),
  );
});

Deno.test("identificationAt() of perfect clusters misses nobody, of a collapsed embedding finds no threshold", () => {
  const images = clusters(10, 10, 16, 0.01, 64);
  const [{ fnir }] = identificationAt(leaveOneOut(images).neighbours, images.labels, [0.3]).at;
  assert.equal(fnir, 0);
  const collapsed = { ...images, embeddings: new Float32Array(images.embeddings.length).fill(0.25) };
  assert.deepEqual(identificationAt(leaveOneOut(collapsed).neighbours, images.labels).at, []);
});

Deno.test("identificationAt() counts a probe that is not enrolled for false positives alone", () => {
  const gallery = clusters(8, 1, 8, 0, 65), { embeddings, labels } = clusters(8, 10, 8, 0.3, 65);
  const probes = { embeddings, labels: Array.from(labels, (label) => label === 7 ? 99 : label) };
  const { neighbours } = galleryProbe(gallery, probes);
  const { at, ...sizes } = identificationAt(neighbours, gallery.labels, [1]);
  assert.deepEqual(sizes, { galleryIdentities: 7, galleryImages: 8, probes: 80, mated: 70 });
  assert.equal(at[0].fnir, 1 - neighbours.filter(({ found }) => found).length / 70);
});

Deno.test("identificationAt() in a gallery of one identity has nobody to take a stranger for", () => {
  const neighbours: Neighbours[] = Array.from({ length: 100 }, (_, query) => (
    { query, right: { row: 0, distance: 1 }, wrong: undefined, found: true }
  ));
  assert.deepEqual(identificationAt(neighbours, [4]), {
    at: [],
    galleryIdentities: 0,
    galleryImages: 1,
    probes: 100,
    mated: 100,
  });
});
