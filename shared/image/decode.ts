import { ImageError } from "../errors.ts";
import { CODECS } from "./codecs.ts";
import { type ImageHeader, readHeader } from "./header.ts";
import { flatten, type Image, orient } from "./image.ts";
import { JPEG_DIVISORS } from "./jpeg.ts";

/** The largest image that is decoded, pixels in all. */
export const MAX_PIXELS = 16_000_000;
/** The longest side that is decoded, pixels. */
export const MAX_SIDE = 8192;

/**
 * Pixels that remain, along each side, for every pixel that an image is scaled to after it was decoded smaller. With fewer,
 * what the decoder leaves out would be seen.
 */
const DETAIL = 2;

/** What a decoder gave of a file. */
export interface Decoded {
  header: Omit<ImageHeader, "format">;
  /** The sides are those of the header divided by this, rounded up. */
  divisor: number;
  /** Opaque, and as it is stored: the header's orientation says how it is turned. */
  image: Image;
}

/**
 * Decodes a JPEG, PNG or WebP file to upright, opaque RGBA. Its size is judged by its header, before a decoder runs.
 *
 * @throws {ImageError} `unsupported`, `too-large` or `undecodable`
 */
export async function decode(bytes: Uint8Array): Promise<Image> {
  const { header, image } = await decodeFor(bytes, admit(bytes), 1);
  return orient(image, header.orientation);
}

/**
 * Reads the header of a file that may be decoded.
 *
 * @throws {ImageError} `unsupported`, `too-large` or `undecodable`
 */
export function admit(bytes: Uint8Array): ImageHeader {
  const header = readHeader(bytes);
  const { width, height } = header;
  if (width === 0 || height === 0) {
    throw new ImageError("undecodable", `The image is ${width} x ${height} pixels: it has none.`);
  }
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new ImageError(
      "too-large",
      `The image is ${width} x ${height} pixels; at most ${MAX_SIDE} a side and ${
        MAX_PIXELS / 1e6
      } megapixels are taken: scale it down.`,
    );
  }
  return header;
}

/**
 * Decodes a file that is to be scaled down: a JPEG only as large as that needs.
 *
 * @param header what {@link admit} read of it
 * @param reduction pixels of the file for one that it is scaled to, along the side where they are fewest
 * @throws {ImageError} `undecodable`
 */
export async function decodeFor(bytes: Uint8Array, header: ImageHeader, reduction: number): Promise<Decoded> {
  const divisor = header.format === "jpeg" ? JPEG_DIVISORS.findLast((d) => d * DETAIL <= reduction) ?? 1 : 1;
  const image = await run(() => CODECS[header.format](bytes, header, divisor));
  const [width, height] = [Math.ceil(header.width / divisor), Math.ceil(header.height / divisor)];
  if (image === null || image.width !== width || image.height !== height) throw undecodable();
  return { header, divisor, image: header.format === "jpeg" ? image : flatten(image) };
}

/** Whatever way a codec fails, the fault lies with the bytes: it runs in an instance of its own. */
async function run(codec: () => Promise<Image | null>): Promise<Image | null> {
  try {
    return await codec();
  } catch (cause) {
    throw undecodable(cause);
  }
}

function undecodable(cause?: unknown): ImageError {
  return new ImageError(
    "undecodable",
    "The image cannot be decoded: its data is damaged; save it again and send that.",
    { cause },
  );
}
