import { messageOf, ModelError, UsageError } from "../../../shared/errors.ts";
import { replaceFile } from "../../../shared/replace_file.ts";
import { sha256 } from "../../../shared/sha256.ts";

/** Where a weight file is. */
export interface WeightSource {
  /** A path, or a URL of `http:` or `https:`. */
  location: string;
  /** The SHA-256 of the file, 64 hexadecimal digits; a URL needs it. */
  sha256?: string | undefined;
  /** The folder that keeps what was downloaded. */
  cache: string;
}

/**
 * Reads a weight file. What comes from a URL is kept in the cache under its hash, and read from there the next time.
 *
 * @throws {UsageError} if a URL is given without a hash, or the hash is none
 * @throws {ModelError} if the file cannot be read or is another than the hash says
 */
export async function readWeightFile(source: WeightSource): Promise<Uint8Array<ArrayBuffer>> {
  const { location } = source;
  const hash = source.sha256?.toLowerCase().replace(/^sha256:/, "");
  if (hash !== undefined && !/^[0-9a-f]{64}$/.test(hash)) {
    throw new UsageError(`The hash ${source.sha256} of ${location} is no SHA-256: give 64 hexadecimal digits.`);
  }
  if (!/^https?:/.test(location)) return await checked(await readFile(location), location, hash);
  if (hash === undefined) {
    throw new UsageError(`Weights from a URL need their SHA-256, so that only the intended file is used: ${location}.`);
  }
  return await readCached(`${source.cache}/${hash}`, hash) ?? await download(source, hash);
}

/**
 * Reads a file of weights from disk.
 *
 * @throws {ModelError} if it cannot be read
 */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const cause = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
    throw new ModelError(`Cannot read the weight file ${path}: ${cause}; check the path.`);
  }
}

/** What an earlier run downloaded, if it is whole. */
async function readCached(path: string, hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await Deno.readFile(path).catch(() => undefined);
  return bytes && await sha256(bytes) === `sha256:${hash}` ? bytes : undefined;
}

async function download({ location, cache }: WeightSource, hash: string): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const response = await fetch(location);
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status}`);
    }
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new ModelError(`Cannot download the weights ${location}: ${messageOf(error)}; try again, or give a path.`);
  }
  await checked(bytes, location, hash);
  await replaceFile(`${cache}/${hash}`, [bytes]);
  return bytes;
}

async function checked(bytes: Uint8Array<ArrayBuffer>, location: string, hash: string | undefined) {
  const actual = hash && await sha256(bytes);
  if (hash && actual !== `sha256:${hash}`) {
    throw new ModelError(
      `The weight file ${location} has the hash ${actual} instead of sha256:${hash}; download it again.`,
    );
  }
  return bytes;
}
