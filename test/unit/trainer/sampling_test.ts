import assert from "node:assert/strict";
import type { Image } from "../../../shared/image/mod.ts";
import { resolveConfig } from "../../../trainer/config.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { inputOf } from "../../../trainer/models/pixel_scales.ts";
import { createNetwork } from "../../../trainer/network.ts";
import { alikeIdentities, imagesPerBatch, samplerOf } from "../../../trainer/sampling.ts";

const LABELS = Int32Array.from({ length: 60 }, (_, i) => i % 10);
const SMALL = ["identitiesPerBatch=5", "imagesPerIdentity=3", "batchSize=8"];
const configOf = (...set: string[]) => resolveConfig({ preset: "scratch", set: [...SMALL, ...set] });

for (
  const [setting, images] of [
    ["sampler=pk", 15],
    ["sampler=hard-classes", 15],
    ["sampler=shuffled", 8],
    ["loss=siamese-bce", 16],
    ["loss=triplet-explicit", 24],
  ] as const
) {
  Deno.test(`with ${setting} a batch has as many rows as imagesPerBatch() says, ${images}`, () => {
    const config = configOf(setting);
    assert.equal(imagesPerBatch(config), images);
    const alike = LABELS.slice(0, 10).reduce<number[][]>((all, i) => [...all, [(i + 1) % 10, (i + 2) % 10]], []);
    const sampler = samplerOf(LABELS, 0, config, alike);
    for (let step = 0; step < 10; step++) assert.equal(sampler(step).length, images);
  });
}

Deno.test("the rows of a loss of pairs or triplets are laid out as it needs them, whatever sampler is set", () => {
  const identities = (rows: number[]) => rows.map((row) => LABELS[row]);
  const pairs = identities(samplerOf(LABELS, 0, configOf("loss=siamese-bce", "sampler=shuffled"), undefined)(3));
  assert.equal(pairs.slice(0, 8).filter((identity, i) => identity === pairs[8 + i]).length, 4, "half are genuine");
  const rows = identities(samplerOf(LABELS, 0, configOf("loss=triplet-explicit"), undefined)(3));
  for (let i = 0; i < 8; i++) {
    assert.equal(rows[i], rows[8 + i]);
    assert.notEqual(rows[i], rows[16 + i]);
  }
});

Deno.test("hard classes draw an identity together with those that are alike", () => {
  const alike = Array.from({ length: 10 }, (_, i) => [(i + 1) % 10, (i + 2) % 10]);
  const sampler = samplerOf(LABELS, 0, configOf("sampler=hard-classes"), alike);
  for (let step = 0; step < 10; step++) {
    const [leader, first, second] = [...new Set(sampler(step).map((row) => LABELS[row]))];
    assert.deepEqual([first, second], alike[leader]);
  }
});

Deno.test("alikeIdentities() finds identities of like colours, nearest first, by a network without training", async () => {
  await chooseEngine("wasm");
  const config = configOf("imageSize=16", "dimensions=16");
  const input = inputOf(config), model = await createNetwork(config);
  // Three reds and three blues, six photos each.
  const shade = (i: number) => i < 3 ? [250 - 5 * i, 20, 20] : [20, 20, 250 - 5 * (i - 3)];
  const image = (i: number, photo: number): Image => ({
    ...{ width: 16, height: 16 },
    data: Uint8ClampedArray.from({ length: 16 * 16 * 4 }, (_, at) => at % 4 === 3 ? 255 : shade(i)[at % 4] + photo),
  });
  const photos = Array.from({ length: 36 }, (_, at) => ({
    identity: `p${at % 6}`,
    image: image(at % 6, Math.floor(at / 6)),
  }));
  const alike = await alikeIdentities(model, photos, input, config);
  assert.deepEqual(alike.map((others) => others.length), [2, 2, 2, 2, 2, 2], "as many as half a batch");
  const colours = alike.map((others) => others.map((other) => other < 3));
  assert.deepEqual(colours, [0, 1, 2, 3, 4, 5].map((i) => [i < 3, i < 3]));
});
