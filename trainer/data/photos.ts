import type { InputSpec } from "../../shared/card.ts";
import { DataError, ImageError, messageOf } from "../../shared/errors.ts";
import { type FaceModel, type FaceNetworks, findFaces } from "../../shared/face/mod.ts";
import { decode, decodeShrunk, fitPixels, type Image, shrink, toInputPixels } from "../../shared/image/mod.ts";
import type { Sample } from "./sample.ts";

/** A file that could not be used, and why. */
export interface Unreadable {
  path: string;
  reason: string;
}

/** A sample with its photo, decoded to train on: varied anew at every step. */
export interface Photo {
  identity: string;
  image: Image;
}

/** A sample with what the network sees of it when served: `[height, width, channels]` 8-bit pixels. */
export interface Probe {
  identity: string;
  /** Its path within the data set. */
  name: string;
  pixels: Uint8Array<ArrayBuffer>;
}

/** How files are read. */
export interface ReadOptions {
  /** The share of files that may be unreadable. */
  maxUnreadable: number;
  /** Called after each file. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Random crops keep at least about a sixth of a photo's area: more detail than this, in input sizes, is never seen. */
const DETAIL = 2.5;

/**
 * Decodes photos to train on, scaled down to the detail that training can see, so that they fit in memory.
 *
 * @throws {DataError} if more than the allowed share of files cannot be read
 */
export function readPhotos(samples: Sample[], input: InputSpec, options: ReadOptions) {
  const shortSide = Math.ceil(DETAIL * Math.max(input.height, input.width));
  const read = async ({ identity, path, image }: Sample): Promise<Photo> => ({
    identity,
    image: image ? await shrink(image(), shortSide) : await decodeShrunk(await Deno.readFile(path), shortSide),
  });
  return readFiles(samples, read, options);
}

/**
 * Reads photos to judge by, through the same path as the worker.
 *
 * @throws {DataError} if more than the allowed share of files cannot be read
 */
export function readProbes(samples: Sample[], input: InputSpec, options: ReadOptions) {
  const read = async ({ identity, name, path, image }: Sample): Promise<Probe> => ({
    ...{ identity, name },
    pixels: image ? await fitPixels(image(), input) : await toInputPixels(await Deno.readFile(path), input),
  });
  return readFiles(samples, read, options);
}

/**
 * Reads photos of faces to judge by, through the same path as the worker: the largest face of each, upright.
 *
 * @returns `undetected`: the photos without a face that was found
 * @throws {DataError} if more than the allowed share of files cannot be read
 */
export async function readFaceProbes(
  samples: Sample[],
  networks: FaceNetworks,
  model: FaceModel,
  options: ReadOptions,
): Promise<{ items: Probe[]; undetected: Sample[]; unreadable: Unreadable[] }> {
  const undetected: Sample[] = [];
  const { items, unreadable } = await readFiles(samples, async (sample) => {
    const image = sample.image?.() ?? await decode(await Deno.readFile(sample.path));
    const [largest] = await findFaces(image, networks, model);
    if (largest === undefined) undetected.push(sample);
    return largest && { identity: sample.identity, name: sample.name, pixels: largest.pixels };
  }, options);
  return { items: items.filter((item) => item !== undefined), undetected, unreadable };
}

async function readFiles<T>(
  samples: Sample[],
  read: (sample: Sample) => Promise<T>,
  options: ReadOptions,
): Promise<{ items: T[]; unreadable: Unreadable[] }> {
  const items: T[] = [];
  const unreadable: Unreadable[] = [];
  for (const [i, sample] of samples.entries()) {
    try {
      items.push(await read(sample));
    } catch (error) {
      if (!isFaultOfFile(error)) throw error;
      unreadable.push({ path: sample.path, reason: messageOf(error) });
    }
    options.onProgress?.(i + 1, samples.length);
  }
  if (unreadable.length > options.maxUnreadable * samples.length) {
    const [{ path, reason }] = unreadable;
    throw new DataError(
      `${unreadable.length} of ${samples.length} files cannot be read; the first is ${path}: ${reason} Mend or remove them, or allow more with --max-unreadable.`,
    );
  }
  return { items, unreadable };
}

/** Whether an error says that a file is missing, may not be read, or is no usable image. */
export function isFaultOfFile(error: unknown): boolean {
  const { NotFound, PermissionDenied } = Deno.errors;
  return error instanceof ImageError || error instanceof NotFound || error instanceof PermissionDenied;
}
