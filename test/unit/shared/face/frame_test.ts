import assert from "node:assert/strict";
import { framed, squareAround } from "../../../../shared/face/mod.ts";
import type { Image } from "../../../../shared/image/mod.ts";

const grey: Image = { width: 40, height: 20, data: new Uint8ClampedArray(40 * 20 * 4).fill(200) };

/** Rows of `#` where a pixel is of the photo and `.` where it is black. */
function drawn(pixels: Uint8Array, size: number): string[] {
  return Array.from(
    { length: size },
    (_, y) => Array.from({ length: size }, (_, x) => pixels[3 * (y * size + x)] === 200 ? "#" : ".").join(""),
  );
}

Deno.test("squareAround() is the smallest square with a border of so much of the longer side", () => {
  assert.deepEqual(squareAround({ x: 10, y: 10, width: 20, height: 10 }, 0), { x: 10, y: 5, width: 20, height: 20 });
  assert.deepEqual(squareAround({ x: 0, y: 0, width: 10, height: 20 }, 0.25), { x: -10, y: -5, width: 30, height: 30 });
});

Deno.test("framed() shows a photo in the middle of a black square, its shape kept", async () => {
  const square = squareAround({ x: 0, y: 0, width: 40, height: 20 }, 0);
  assert.deepEqual(drawn(await framed(grey, square, 8), 8), [
    ...["........", "........"],
    ...["########", "########", "########", "########"],
    ...["........", "........"],
  ]);
});

Deno.test("framed() shows a part of a photo, black beyond its edge", async () => {
  const rows = drawn(await framed(grey, { x: 30, y: 10, width: 20, height: 20 }, 4), 4);
  assert.deepEqual(rows, ["##..", "##..", "....", "...."]);
  assert.ok(drawn(await framed(grey, { x: 10, y: 5, width: 8, height: 8 }, 4), 4).every((row) => row === "####"));
});

Deno.test("framed() of a square beside the photo is a picture all the same", async () => {
  assert.equal((await framed(grey, { x: 100, y: 100, width: 10, height: 10 }, 4)).length, 48);
});
