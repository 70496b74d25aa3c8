/** What the client takes for an image: a file or its bytes, or what a page shows. */
export type ImageInput = Blob | Uint8Array | HTMLImageElement | HTMLVideoElement;

/** Little is lost at this quality, which is between 0 and 1. */
const JPEG_QUALITY = 0.92;

/**
 * An image as a file. What a page shows becomes a PNG of its own size: of a video, the frame at this moment.
 *
 * @throws {TypeError} if the page shows nothing yet, or it is of another origin that does not let pages read it
 */
export async function fileOf(input: ImageInput): Promise<Blob> {
  if (input instanceof Blob) return input;
  if (input instanceof Uint8Array) return new Blob([new Uint8Array(input)]);
  try {
    if ("decode" in input) await input.decode();
    const bitmap = await createImageBitmap(input);
    return await draw(bitmap, 1).convertToBlob({ type: "image/png" });
  } catch (error) {
    throw new TypeError(
      "The element cannot be read: wait until it shows a picture, and load what is of another origin with crossorigin.",
      { cause: error },
    );
  }
}

/** Whether this runtime can draw images smaller: browsers can. Deno has canvases, but none to draw on. */
export function canShrink(): boolean {
  return typeof OffscreenCanvas === "function" && new OffscreenCanvas(1, 1).getContext("2d") !== null;
}

/**
 * Draws an image smaller, upright and as JPEG, where its shorter side is longer than needed.
 *
 * @param shortSide pixels
 * @returns the file itself if it is small enough, or the browser cannot decode it: the worker will say what is wrong
 */
export async function shrunk(file: Blob, shortSide: number): Promise<Blob> {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (bitmap === null) return file;
  const scale = shortSide / Math.min(bitmap.width, bitmap.height);
  if (scale >= 1) return file;
  return await draw(bitmap, scale).convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
}

/** Over white, as the worker lays what is transparent. */
function draw(bitmap: ImageBitmap, scale: number): OffscreenCanvas {
  const width = Math.round(bitmap.width * scale), height = Math.round(bitmap.height * scale);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return canvas;
}
