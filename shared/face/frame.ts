import { type Image, resize } from "../image/mod.ts";
import type { Box } from "./box.ts";

/** The smallest square around a box, with a border of so much of the longer side. */
export function squareAround({ x, y, width, height }: Box, border: number): Box {
  const longer = Math.max(width, height), side = longer * (1 + 2 * border);
  return { x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side };
}

/**
 * Scales a square of a photo to the size that a detector takes, antialiased. Black where the square reaches over the edge.
 *
 * @returns `[size, size, 3]` 8-bit RGB
 */
export async function framed(image: Image, square: Box, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const scale = size / square.width;
  const columns = seen(square.x, image.width, square.width), rows = seen(square.y, image.height, square.height);
  const place = ({ from, to }: Span, start: number) => {
    const first = Math.max(0, Math.min(size - 1, Math.round((from - start) * scale)));
    return { first, count: Math.max(1, Math.min(size, Math.round((to - start) * scale)) - first) };
  };
  const across = place(columns, square.x), down = place(rows, square.y);
  const part = { x: columns.from, y: rows.from, width: columns.to - columns.from, height: rows.to - rows.from };
  const scaled = await resize(image, part, down.count, across.count);
  const pixels = new Uint8Array(size * size * 3);
  for (let y = 0; y < down.count; y++) {
    const row = scaled.subarray(y * across.count * 3, (y + 1) * across.count * 3);
    pixels.set(row, ((down.first + y) * size + across.first) * 3);
  }
  return pixels;
}

/** A run of a photo's pixels. */
interface Span {
  from: number;
  to: number;
}

/** What a square shows of the photo along one axis. */
function seen(start: number, length: number, side: number): Span {
  return { from: Math.min(length - 1, Math.max(0, start)), to: Math.max(1, Math.min(length, start + side)) };
}
