import type { Decoded } from "./decode.ts";
import { filterTaps } from "./filter_taps.ts";
import { type Image, layoutOf, type Region, storedRegion, uprightSize } from "./image.ts";
import { resizeKernel } from "./resize_kernel.ts";

/**
 * Scales a region of an image with an antialiasing triangle filter: bilinear when enlarging, an average over the covered
 * pixels when reducing (the filter's support grows with the scale, as in Pillow's `resize(..., BILINEAR, box)`).
 *
 * @returns `[height, width, 3]` 8-bit RGB
 */
export function resize(image: Image, region: Region, height: number, width: number): Promise<Uint8Array<ArrayBuffer>> {
  const header = { width: image.width, height: image.height, orientation: 1 } as const;
  return resizeDecoded({ header, divisor: 1, image }, region, height, width);
}

/**
 * As {@link resize}, of an image as a decoder gave it.
 *
 * What was decoded smaller gives what it gives at its full size within 16 of the 256 grey levels, on average within 1.25; the
 * bundled model's embeddings of the two have a cosine of at least 0.998. What is stored turned gives what it gives turned
 * before, within a grey level.
 *
 * @param region of the upright image, in pixels of the full size
 * @returns `[height, width, 3]` 8-bit RGB, upright
 */
export async function resizeDecoded(
  { header, divisor, image }: Decoded,
  region: Region,
  height: number,
  width: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { orientation } = header;
  const stored = storedRegion(region, orientation, header.width, header.height);
  // Turned as the image is stored: it is computed so, and laid out upright.
  const out = uprightSize({ width, height, orientation });
  const columns = filterTaps(stored.x / divisor, stored.width / divisor, image.width, out.width);
  const rows = filterTaps(stored.y / divisor, stored.height / divisor, image.height, out.height);
  return (await resizeKernel())(image, columns, rows, layoutOf(orientation, out.width, out.height));
}
