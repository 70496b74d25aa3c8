import assert from "node:assert/strict";
import { cutOut } from "../../../../../trainer/data/augmentation/cutout.ts";
import { randomStream } from "../../../../../trainer/random.ts";

const HEIGHT = 40, WIDTH = 30, MEAN = [0.5, 0.25, 0];

/** The patch that a seed cuts out of a white view, with its share of the area; undefined for none. */
function patchOf(maxArea: number, seed: number) {
  const rgb = new Uint8Array(3 * HEIGHT * WIDTH).fill(255);
  cutOut(rgb, { height: HEIGHT, width: WIDTH, mean: MEAN }, maxArea, randomStream(seed));
  const covered = [...Array(HEIGHT * WIDTH).keys()].filter((i) => rgb[3 * i] !== 255);
  if (covered.length === 0) return undefined;
  const xs = covered.map((i) => i % WIDTH), ys = covered.map((i) => Math.floor(i / WIDTH));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  assert.equal(covered.length, (right - left + 1) * (bottom - top + 1), "the patch is a whole rectangle");
  for (const i of covered) assert.deepEqual([...rgb.subarray(3 * i, 3 * i + 3)], [128, 64, 0]);
  return { left, right, top, bottom, share: covered.length / (HEIGHT * WIDTH) };
}

Deno.test("cutOut() covers one rectangle of up to the greatest share with what the network sees as 0", () => {
  const shares = Array.from({ length: 300 }, (_, seed) => patchOf(0.2, seed)?.share ?? 0);
  assert(Math.max(...shares) <= 0.2 && Math.max(...shares) > 0.17, `${Math.max(...shares)}`);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  assert(mean > 0.075 && mean < 0.105, `mean ${mean}`);
});

Deno.test("cutOut() reaches every edge of the view", () => {
  const patches = Array.from({ length: 300 }, (_, seed) => patchOf(0.3, seed)).filter((patch) => patch !== undefined);
  assert(patches.some(({ left }) => left === 0) && patches.some(({ right }) => right === WIDTH - 1));
  assert(patches.some(({ top }) => top === 0) && patches.some(({ bottom }) => bottom === HEIGHT - 1));
});

Deno.test("cutOut() of a grey network's view covers all channels with its one mean", () => {
  const rgb = new Uint8Array(3 * 8 * 8).fill(255);
  cutOut(rgb, { height: 8, width: 8, mean: [0.4] }, 0.9, () => 0.5);
  const covered = rgb.filter((value) => value !== 255);
  assert(covered.length > 0 && covered.every((value) => value === 102));
});
