import { DataError, messageOf } from "../../shared/errors.ts";
import { sha256 } from "../../shared/sha256.ts";
import { permutation, randomStream } from "../random.ts";

/** One photo and who or what is on it. */
export interface Sample {
  path: string;
  identity: string;
}

/** The parts of a data set. No identity is in two of them. */
export interface Dataset {
  train: Sample[];
  val: Sample[];
  test: Sample[];
}

const PARTS = ["train", "val", "test"] as const;
const EXTENSIONS = /\.(jpe?g|png|webp)$/i;

/**
 * Reads a folder of folders, one per identity (`DIR/<identity>/*.jpg`), or with `train/`, `val/`, `test/` above them.
 * Without these, identities are split 70 : 10 : 20 by the seed; with `train/` but no `test/`, likewise within `train/`.
 *
 * @throws {DataError} if the folder is missing, holds no photos, or has an identity in two parts
 */
export async function readFolder(directory: string, seed: number): Promise<Dataset> {
  const folders = await subfolders(directory);
  if (!folders.includes("train")) return splitByIdentity(await samplesOf(directory), seed);
  const [train, val, test] = await Promise.all(
    PARTS.map((part) => folders.includes(part) ? samplesOf(`${directory}/${part}`) : []),
  );
  if (test.length === 0) return splitByIdentity(train, seed);
  assertDisjoint({ train, val, test });
  return { train, val, test };
}

/**
 * The photos of a folder to judge by: those of its `test/` part, or all where it has no parts.
 *
 * @throws {DataError} if the folder is missing or holds no photos
 */
export async function readAllOrTest(directory: string): Promise<Sample[]> {
  const folders = await subfolders(directory);
  return await samplesOf(folders.includes("test") ? `${directory}/test` : directory);
}

/**
 * Splits 70 : 10 : 20 by identity, the same way for the same seed; an identity's photos stay together.
 *
 * @throws {DataError} if there are fewer than five identities
 */
export function splitByIdentity(samples: Sample[], seed: number): Dataset {
  const identities = [...new Set(samples.map((sample) => sample.identity))].sort();
  if (identities.length < 5) {
    throw new DataError(
      `There are photos of ${identities.length} identities: at least 5 are needed, some to train on and others to judge by; add folders.`,
    );
  }
  const order = permutation(identities.length, randomStream(seed, "split"));
  const testCount = Math.max(2, Math.round(identities.length * 0.2));
  const valCount = Math.round(identities.length * 0.1);
  const part = new Map(order.map((identity, rank) => [
    identities[identity],
    rank < testCount ? "test" : rank < testCount + valCount ? "val" : "train",
  ]));
  const of = (name: string) => samples.filter((sample) => part.get(sample.identity) === name);
  return { train: of("train"), val: of("val"), test: of("test") };
}

/** SHA-256 of which photo shows whom in which part: says whether two runs saw the same data set. Paths are relative to it. */
export async function hashOf(dataset: Dataset, directory: string): Promise<string> {
  const lines = PARTS.flatMap((part) =>
    dataset[part].map(({ path, identity }) => `${part}\t${identity}\t${path.slice(directory.length)}`)
  );
  return await sha256(new TextEncoder().encode(lines.join("\n")));
}

async function samplesOf(directory: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const identity of await subfolders(directory)) {
    const files = (await entriesOf(`${directory}/${identity}`)).filter((entry) =>
      entry.isFile && EXTENSIONS.test(entry.name)
    );
    samples.push(...files.map((file) => ({ path: `${directory}/${identity}/${file.name}`, identity })));
  }
  if (samples.length === 0) {
    throw new DataError(
      `There are no photos in ${directory}: it must hold one folder per identity with JPEG, PNG or WebP files in it.`,
    );
  }
  return samples;
}

async function subfolders(directory: string): Promise<string[]> {
  return (await entriesOf(directory)).filter((entry) => entry.isDirectory).map((entry) => entry.name);
}

/** The entries of a folder in the order of their names, which every machine agrees on. */
async function entriesOf(directory: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.filter((entry) => !entry.name.startsWith(".")).sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new DataError(`There is no folder ${directory}; check --data.`);
    throw new DataError(`The folder ${directory} cannot be read: ${messageOf(error)}; check --data.`);
  }
}

function assertDisjoint(dataset: Dataset): void {
  const part = new Map<string, string>();
  for (const name of PARTS) {
    for (const { identity } of dataset[name]) {
      const other = part.get(identity) ?? name;
      if (other !== name) {
        throw new DataError(
          `${identity} is in both ${other}/ and ${name}/: an identity must be in one of them only; move its photos.`,
        );
      }
      part.set(identity, name);
    }
  }
}
