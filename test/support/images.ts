import { encodeWebp as toWebp } from "../../scripts/bench/decode/pictures.ts";
import { encodeJpeg as toJpeg } from "../../shared/image/mod.ts";

/** Four colours, one a quarter: which way is up can be told from it. `[height, width, 4]` RGBA. */
export function quarters(width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const colors = [[220, 40, 40], [40, 200, 60], [50, 70, 210], [240, 220, 60]];
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set(colors[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)], 4 * (y * width + x));
    }
  }
  return data;
}

/** The size and order of the colours of {@linkcode quarters}: top left, top right, bottom left, bottom right. */
export function cornersOf(image: { width: number; height: number; data: ArrayLike<number> }, channels = 4): string[] {
  const name = (x: number, y: number) => {
    const at = channels * (y * image.width + x);
    const [red, green, blue] = [0, 1, 2].map((c) => image.data[at + c] > 128);
    return red && green ? "yellow" : red ? "red" : green ? "green" : blue ? "blue" : "black";
  };
  const xs = [image.width >> 2, image.width - 1 - (image.width >> 2)],
    ys = [image.height >> 2, image.height - 1 - (image.height >> 2)];
  return ys.flatMap((y) => xs.map((x) => name(x, y)));
}

/** Encodes RGBA as JPEG, as a camera would. */
export function encodeJpeg(
  data: Uint8ClampedArray,
  width: number,
  height: number,
  quality = 90,
): Promise<Uint8Array<ArrayBuffer>> {
  return toJpeg({ data, width, height }, quality, false);
}

/** Encodes RGBA as lossless WebP. */
export function encodeWebp(data: Uint8ClampedArray, width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  return toWebp({ data, width, height }, { lossless: true });
}

/** Puts an EXIF segment with an orientation into a JPEG. */
export function withOrientation(jpeg: Uint8Array, orientation: number): Uint8Array<ArrayBuffer> {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const payload = [...new TextEncoder().encode("Exif"), 0, 0, ...tiff];
  const segment = [0xff, 0xe1, 0, payload.length + 2, ...payload];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}
