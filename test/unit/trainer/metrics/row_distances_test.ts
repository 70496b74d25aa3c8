import assert from "node:assert/strict";
import { squaredDistances, squaredRowDistance } from "../../../../trainer/metrics/row_distances.ts";
import { randomStream } from "../../../../trainer/random.ts";

Deno.test("squaredDistances() equals squaredRowDistance() to the bit for any number of rows, both ways round", () => {
  const random = randomStream(3, "rows");
  for (const [n, dimensions] of [[1, 1], [2, 3], [3, 4], [4, 5], [5, 7], [9, 128]]) {
    const rows = { values: Float64Array.from({ length: n * dimensions }, () => random() - 0.5), dimensions };
    let i = 0;
    for (const squared of squaredDistances(rows, rows)) {
      assert.equal(squared.length, n);
      squared.forEach((value, j) => assert.equal(value, squaredRowDistance(rows, j, i), `${i} and ${j} of ${n}`));
      assert.equal(squared[i], 0);
      i++;
    }
    assert.equal(i, n);
  }
});

Deno.test("squaredDistances() of 3 and 4 is 25", () => {
  const [[squared]] = squaredDistances({ values: Float64Array.of(0, 0), dimensions: 2 }, {
    values: Float64Array.of(3, 4),
    dimensions: 2,
  });
  assert.equal(squared, 25);
});
