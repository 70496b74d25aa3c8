import assert from "node:assert/strict";
import { colorJitter, toGrey, turnHue } from "../../../../../trainer/data/augmentation/color.ts";
import { randomStream } from "../../../../../trainer/random.ts";

const pixel = (...rgb: number[]) => Uint8Array.from(rgb);
function turned(rgb: Uint8Array, turn: number): number[] {
  const copy = rgb.slice();
  turnHue(copy, turn);
  return [...copy];
}

Deno.test("turnHue() by a third makes green of red, blue of green and red of blue", () => {
  assert.deepEqual(turned(pixel(255, 0, 0, 0, 255, 0, 0, 0, 255), 1 / 3), [0, 255, 0, 0, 0, 255, 255, 0, 0]);
  assert.deepEqual(turned(pixel(255, 0, 0), -1 / 3), [0, 0, 255]);
});

Deno.test("turnHue() by a sixth and by half goes through the colours between", () => {
  assert.deepEqual(turned(pixel(200, 50, 50), 1 / 6), [200, 200, 50]);
  assert.deepEqual(turned(pixel(200, 50, 50), 1 / 2), [50, 200, 200]);
  assert.deepEqual(turned(pixel(200, 125, 50), 1 / 12), [200, 200, 50]);
});

Deno.test("turnHue() keeps greys, value and saturation, and a whole turn keeps all", () => {
  const random = randomStream(4);
  const colors = Uint8Array.from({ length: 300 }, () => Math.floor(256 * random()));
  assert.deepEqual(turned(pixel(0, 0, 0, 90, 90, 90, 255, 255, 255), 0.2), [0, 0, 0, 90, 90, 90, 255, 255, 255]);
  assert.deepEqual(turned(colors, 1), [...colors]);
  assert.deepEqual(turned(colors, -1), [...colors]);
  const extremes = (rgb: ArrayLike<number>) =>
    Array.from({ length: 100 }, (_, i) => [0, 1, 2].map((c) => rgb[3 * i + c])).map((
      p,
    ) => [Math.min(...p), Math.max(...p)]);
  for (const turn of [-0.5, -0.13, 0.01, 0.3]) assert.deepEqual(extremes(turned(colors, turn)), extremes(colors));
});

Deno.test("colorJitter() turns hues by up to as much as it is told, either way", () => {
  const degrees = Array.from({ length: 400 }, (_, seed) => {
    const [red, green, blue] = jittered(pixel(255, 0, 0), { hue: 0.1 }, seed);
    assert.equal(red, 255);
    return green > 0 ? 60 * green / 255 : -60 * blue / 255;
  });
  assert(Math.max(...degrees) > 32 && Math.max(...degrees) < 36.2, `${Math.max(...degrees)}`);
  assert(Math.min(...degrees) < -32 && Math.min(...degrees) > -36.2, `${Math.min(...degrees)}`);
});

Deno.test("colorJitter() with all strengths 0 draws no random numbers", () => {
  colorJitter(pixel(1, 2, 3), { brightness: 0, contrast: 0, saturation: 0, hue: 0 }, () => {
    throw new Error("drawn");
  });
});

Deno.test("toGrey() leaves the luma of BT.601 in every channel", () => {
  const rgb = pixel(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30);
  toGrey(rgb);
  assert.deepEqual([...rgb], [76, 76, 76, 150, 150, 150, 29, 29, 29, 18, 18, 18]);
});

function jittered(rgb: Uint8Array, strength: { hue: number }, seed: number): Uint8Array {
  const copy = rgb.slice();
  colorJitter(copy, { brightness: 0, contrast: 0, saturation: 0, ...strength }, randomStream(seed));
  return copy;
}
