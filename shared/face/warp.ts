import { type Image, resize } from "../image/mod.ts";
import { inverseOf, type Similarity, transform } from "./similarity.ts";

/**
 * Cuts an upright square out of a turned one: every pixel of the output is looked up where the similarity came from, between
 * pixels bilinearly. Where that reduces, the part of the photo that is seen is reduced first with the antialiasing filter of
 * `resize`; beyond the photo's edge its last pixels go on.
 *
 * @param to from pixels of the photo to pixels of the output
 * @returns `[size, size, 3]` 8-bit RGB
 */
export async function warp(image: Image, to: Similarity, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const back = inverseOf(to);
  const corners = [0, size].flatMap((x) => [0, size].map((y) => transform(back, { x, y })));
  // Two pixels more on every side, so that the bilinear lookup does not end at the cut.
  const left = Math.floor(Math.min(...corners.map(({ x }) => x))) - 2;
  const top = Math.floor(Math.min(...corners.map(({ y }) => y))) - 2;
  const width = Math.ceil(Math.max(...corners.map(({ x }) => x))) + 2 - left;
  const height = Math.ceil(Math.max(...corners.map(({ y }) => y))) + 2 - top;
  const reduction = Math.max(1, Math.hypot(back.a, back.b));
  const columns = Math.ceil(width / reduction), rows = Math.ceil(height / reduction);
  const part = await resize(image, { x: left, y: top, width, height }, rows, columns);
  const out = new Uint8Array(size * size * 3);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const from = transform(back, { x: x + 0.5, y: y + 0.5 });
      lookUp(
        part,
        columns,
        rows,
        (from.x - left) * columns / width - 0.5,
        (from.y - top) * rows / height - 0.5,
        out,
        at,
      );
    }
  }
  return out;
}

/** Writes the colour between the four pixels around a place. */
function lookUp(rgb: Uint8Array, width: number, height: number, x: number, y: number, out: Uint8Array, at: number) {
  const left = Math.min(width - 2, Math.max(0, Math.floor(x))), top = Math.min(height - 2, Math.max(0, Math.floor(y)));
  const right = Math.min(1, Math.max(0, x - left)), bottom = Math.min(1, Math.max(0, y - top));
  const upper = (top * width + left) * 3, lower = upper + width * 3;
  for (let c = 0; c < 3; c++) {
    const above = rgb[upper + c] * (1 - right) + rgb[upper + 3 + c] * right;
    const below = rgb[lower + c] * (1 - right) + rgb[lower + 3 + c] * right;
    out[at + c] = Math.round(above * (1 - bottom) + below * bottom);
  }
}
