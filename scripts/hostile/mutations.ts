import { crc32 } from "../../shared/crc32.ts";
import { encodeJpeg, encodePng } from "../../shared/image/mod.ts";
import { randomStream } from "../../trainer/random.ts";
import { detailedPicture, encodeWebp } from "../bench/decode/pictures.ts";

/** Small, so that many can be tried: what decoders stumble over is in the structure of a file. */
const WIDTH = 24, HEIGHT = 17;

/** Values at the edges of what fields of a file hold. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];

/** Good images of every format and way of storing that there is, by name. */
export async function goodImages(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const image = await detailedPicture(WIDTH, HEIGHT, 1);
  const channels = (count: number) =>
    Uint8Array.from({ length: WIDTH * HEIGHT * count }, (_, i) => image.data[4 * Math.floor(i / count) + i % count]);
  return {
    "baseline.jpg": await encodeJpeg(image, 85, false),
    "progressive.jpg": await encodeJpeg(image, 85),
    "grey.png": await encodePng(channels(1), HEIGHT, WIDTH, 1),
    "color.png": await encodePng(channels(3), HEIGHT, WIDTH, 3),
    "lossy.webp": await encodeWebp(image, { lossless: false }),
    "lossless.webp": await encodeWebp(image, { lossless: true }),
  };
}

/**
 * Damages a file in one to eight places: a bit, a byte, a field of two or four bytes at an edge of what it holds, a piece that is
 * cut out, doubled or moved, or an end that is cut off.
 *
 * @param number which of its mutations: the same one is the same bytes
 */
export function mutated(file: Uint8Array, number: number): Uint8Array<ArrayBuffer> {
  const random = randomStream(1, "mutation", number);
  const below = (limit: number) => Math.floor(limit * random());
  let bytes = Array.from(file);
  for (let left = 1 + below(8); left > 0 && bytes.length > 0; left--) {
    const at = below(bytes.length), length = 1 + below(Math.min(64, bytes.length - at)), to = below(bytes.length);
    const edge = EDGES[below(EDGES.length)];
    const ways: (() => void)[] = [
      () => void (bytes[at] ^= 1 << below(8)),
      () => void (bytes[at] = below(256)),
      () => void bytes.splice(at, Math.min(2, bytes.length - at), edge, below(256)),
      () => void bytes.splice(at, Math.min(4, bytes.length - at), edge, edge, below(256), below(256)),
      () => void bytes.splice(at, length),
      () => void bytes.splice(to, 0, ...bytes.slice(at, at + length)),
      () => void bytes.splice(to, 0, ...bytes.splice(at, length)),
      () => void (bytes = random() < 0.2 ? bytes.slice(0, at) : bytes),
    ];
    ways[below(ways.length)]();
  }
  return repaired(Uint8Array.from(bytes));
}

/** With the checksums and the length that a reader looks at first set right, so that what is behind them is reached. */
function repaired(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  if (bytes[0] === 0x52 && bytes.length > 8) view.setUint32(4, bytes.length - 8, true);
  if (bytes[0] === 0x89) {
    for (let offset = 8; offset + 12 <= bytes.length;) {
      const end = offset + 8 + view.getUint32(offset);
      if (end + 4 > bytes.length) break;
      view.setUint32(end, crc32(bytes.subarray(offset + 4, end)));
      offset = end + 4;
    }
  }
  return bytes;
}
