import assert from "node:assert/strict";
import { detCurve, distanceHistogram, pairDistances } from "../../../../trainer/metrics/mod.ts";
import { clusters } from "./clusters.ts";

const pairs = pairDistances(clusters(6, 6, 3, 0.3, 12), { seed: 1 });

Deno.test("distanceHistogram() counts every pair once, the furthest in the last bin", () => {
  const { width, genuine, impostor } = distanceHistogram(pairs);
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  assert.equal(sum(genuine), pairs.genuine.length);
  assert.equal(sum(impostor), pairs.impostor.length);
  assert.ok(impostor.at(-1)! > 0);
  assert.equal(genuine[0], pairs.genuine.filter((distance) => distance < width).length);
});

Deno.test("distanceHistogram() takes distances that are all 0", () => {
  const zeros = new Float64Array(3);
  const { genuine } = distanceHistogram({ genuine: zeros, impostor: zeros, genuineByIdentity: [zeros] });
  assert.equal(genuine[0], 3);
});

Deno.test("detCurve() falls from no match to no rejection, and each point is what its distance gives", () => {
  const { distance, fmr, fnmr } = detCurve(pairs);
  for (let i = 1; i < distance.length; i++) {
    assert.ok(distance[i] > distance[i - 1] && fmr[i] >= fmr[i - 1] && fnmr[i] <= fnmr[i - 1]);
  }
  assert.equal(fmr.at(-1), 1);
  assert.equal(fnmr.at(-1), 0);
  const middle = distance.length >> 1;
  const accepted = pairs.impostor.filter((value) => value <= distance[middle]).length;
  assert.equal(fmr[middle], accepted / pairs.impostor.length);
});
