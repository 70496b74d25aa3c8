import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import { normalize } from "../../../../shared/image/mod.ts";
import { augment, type Augmentation } from "../../../../trainer/data/augment.ts";
import { labelsOf, trainingBatches } from "../../../../trainer/data/batches.ts";
import { randomStream } from "../../../../trainer/random.ts";
import { quarters } from "../../../support/images.ts";

const INPUT: InputSpec = { height: 6, width: 8, channels: 3, fit: "cover", mean: [0.5, 0.4, 0.3], std: [1, 2, 3] };
const AUGMENTATION: Augmentation = {
  ...{ minCropArea: 0.3, flip: true, brightness: 0.4, contrast: 0.3, saturation: 0.2 },
  ...{ hue: 0.1, grey: 0.2, blur: 0.5, cutout: 0.3 },
};
const photos = ["b", "a", "b", "c"].map((identity, i) => ({
  identity,
  image: { width: 20 + i, height: 30, data: quarters(20 + i, 30) },
}));
const batchAt = trainingBatches(photos, INPUT, (step) => [3, 0, step, 0], AUGMENTATION, 7);

Deno.test("labelsOf() numbers identities in the order of their first appearance", () => {
  assert.deepEqual([...labelsOf(photos)], [0, 1, 0, 2]);
});

Deno.test("trainingBatches() gives the sampler's rows with their labels, each in a view drawn from seed, step and place", async () => {
  const { values, shape, labels } = await batchAt(2);
  assert.deepEqual(shape, [4, 6, 8, 3]);
  assert.deepEqual([...labels], [2, 0, 0, 0]);
  for (const [i, row] of [3, 0, 2, 0].entries()) {
    const view = await augment(photos[row].image, INPUT, AUGMENTATION, randomStream(7, "augment", 2, i));
    assert.deepEqual(values.subarray(144 * i, 144 * (i + 1)), normalize(view, INPUT));
  }
});

Deno.test("trainingBatches() shows a photo differently in every place and at every step, and the same at the same step", async () => {
  const first = (await batchAt(1)).values, later = (await batchAt(2)).values;
  assert.notDeepEqual(first.subarray(144, 288), first.subarray(432));
  assert.notDeepEqual(first.subarray(144, 288), later.subarray(144, 288));
  assert.deepEqual((await batchAt(1)).values, first);
});
