import initWebpEncoder from "@jsquash/webp/codec/enc/webp_enc.js";
import { defaultOptions } from "@jsquash/webp/meta.js";
import { emscriptenOptions } from "../../../shared/image/codecs.ts";
import { type Image, resize } from "../../../shared/image/mod.ts";
import { packageFile } from "../../../shared/package_file.ts";
import { randomStream } from "../../../trainer/random.ts";

/**
 * Of every octave, in grey levels: photos vary about as much at every scale (Field 1987, "Relations between the statistics of
 * natural images and the response properties of cortical cells").
 */
const AMPLITUDE = 24;

/** A picture that has detail at every scale, down to the grain of its pixels. */
export async function detailedPicture(width: number, height: number, seed: number): Promise<Image> {
  const sums = new Float32Array(width * height * 3).fill(128);
  for (let scale = 1, octave = 0; scale < Math.min(width, height); scale *= 2, octave++) {
    const noise = noiseImage(Math.ceil(width / scale), Math.ceil(height / scale), randomStream(seed, "octave", octave));
    const region = { x: 0, y: 0, width: width / scale, height: height / scale };
    const large = await resize(noise, region, height, width);
    for (let i = 0; i < sums.length; i++) sums[i] += (large[i] / 128 - 1) * AMPLITUDE;
  }
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[4 * i + c] = sums[3 * i + c];
  return { width, height, data };
}

function noiseImage(width: number, height: number, random: () => number): Image {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const grey = 64 + 128 * random();
    for (let c = 0; c < 3; c++) data[4 * i + c] = grey + 128 * (random() - 0.5);
  }
  return { width, height, data };
}

/** Encodes an image as WebP. */
export async function encodeWebp(image: Image, { lossless }: { lossless: boolean }): Promise<Uint8Array<ArrayBuffer>> {
  const binary = await Deno.readFile(packageFile("@jsquash/webp/codec/enc/webp_enc.wasm"));
  const encoder = await initWebpEncoder(emscriptenOptions(await WebAssembly.compile(binary)));
  const options = { ...defaultOptions, lossless: lossless ? 1 : 0 };
  return new Uint8Array(encoder.encode(image.data as unknown as BufferSource, image.width, image.height, options));
}
