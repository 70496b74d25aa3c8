import { ImageError } from "../errors.ts";
import { CODECS } from "./codecs.ts";
import { readHeader } from "./header.ts";
import { flatten, type Image, orient } from "./image.ts";

/** The largest image that is decoded, pixels in all. */
export const MAX_PIXELS = 16_000_000;
/** The longest side that is decoded, pixels. */
export const MAX_SIDE = 8192;

/**
 * Decodes a JPEG, PNG or WebP file to upright, opaque RGBA. Its size is judged by its header, before a decoder runs.
 *
 * @throws {ImageError} `unsupported`, `too-large` or `undecodable`
 */
export async function decode(bytes: Uint8Array): Promise<Image> {
  const header = readHeader(bytes);
  const { format, width, height } = header;
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
  const image = await run(() => CODECS[format](bytes));
  if (image === null || image.width !== width || image.height !== height) throw undecodable();
  return flatten(orient(image, header.orientation));
}

/** Whatever way a codec fails, the fault lies with the bytes: it runs in an instance of its own. */
async function run(codec: () => Promise<Image | null>): Promise<Image | null> {
  try {
    return await codec();
  } catch {
    throw undecodable();
  }
}

function undecodable(): ImageError {
  return new ImageError(
    "undecodable",
    "The image cannot be decoded: its data is damaged; save it again and send that.",
  );
}
