import { encodeJpeg, type Image, resize } from "../../shared/image/mod.ts";

/** Many small pictures in one image: picture `i` lies in column `i % columns` and row `floor(i / columns)`. */
export interface Sprite {
  /** A data URL. */
  readonly url: string;
  readonly columns: number;
  readonly count: number;
  /** Of a picture, pixels. */
  readonly width: number;
  readonly height: number;
}

/** Pictures of one size: `[height, width, channels]` 8-bit pixels each. */
export interface Pictures {
  readonly pixels: readonly Uint8Array[];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const QUALITY = 80;

/**
 * Lays pictures side by side in one JPEG.
 *
 * @param pictures at least one
 * @param longSide of a picture in the sprite, pixels; smaller pictures keep their size
 */
export async function makeSprite(pictures: Pictures, longSide: number): Promise<Sprite> {
  const { pixels } = pictures;
  const scale = Math.min(1, longSide / Math.max(pictures.width, pictures.height));
  const width = Math.max(1, Math.round(pictures.width * scale));
  const height = Math.max(1, Math.round(pictures.height * scale));
  const columns = Math.ceil(Math.sqrt(pixels.length));
  const sheet = blank(columns * width, Math.ceil(pixels.length / columns) * height);
  for (const [i, picture] of pixels.entries()) {
    const image = toRgba(picture, pictures);
    const rgb = await resize(image, { x: 0, y: 0, width: image.width, height: image.height }, height, width);
    paste(sheet, rgb, { x: (i % columns) * width, y: Math.floor(i / columns) * height, width, height });
  }
  const jpeg = await encodeJpeg(sheet, QUALITY);
  return { url: `data:image/jpeg;base64,${jpeg.toBase64()}`, columns, count: pixels.length, width, height };
}

function blank(width: number, height: number): Image {
  return { width, height, data: new Uint8ClampedArray(width * height * 4).fill(255) };
}

function toRgba(pixels: Uint8Array, { width, height, channels }: Pictures): Image {
  const image = blank(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
  }
  return image;
}

function paste(sheet: Image, rgb: Uint8Array, at: { x: number; y: number; width: number; height: number }): void {
  for (let y = 0; y < at.height; y++) {
    for (let x = 0; x < at.width; x++) {
      const from = 3 * (y * at.width + x), to = 4 * ((at.y + y) * sheet.width + at.x + x);
      for (let c = 0; c < 3; c++) sheet.data[to + c] = rgb[from + c];
    }
  }
}
