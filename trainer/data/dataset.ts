import { DataError } from "../../shared/errors.ts";
import { sha256 } from "../../shared/sha256.ts";
import { permutation, randomStream } from "../random.ts";
import { listFolder } from "./folder.ts";
import { isIdx, readIdx } from "./idx.ts";
import { isManifest, listManifest } from "./manifest.ts";
import { type Dataset, type ListedSample, type Part, PARTS, type Sample } from "./sample.ts";

/**
 * Reads a folder of photos, a manifest or MNIST. Where it does not say which photos are to train on and which to judge by, its
 * identities are split 70 : 10 : 20 by the seed.
 *
 * @param source a folder, a `.csv` or `.jsonl` file, or `mnist:` and a folder
 * @throws {DataError} if it is missing, holds no photos, or has an identity in two parts
 */
export async function readDataset(source: string, seed: number): Promise<Dataset> {
  if (isIdx(source)) return await readIdx(source);
  const samples = await listSamples(source);
  const dataset = Object.fromEntries(
    PARTS.map((part) => [part, samples.filter((sample) => sample.part === part)]),
  ) as Dataset;
  if (dataset.train.length === 0) return splitByIdentity(samples, seed);
  if (dataset.test.length === 0 && dataset.val.length === 0) return splitByIdentity(dataset.train, seed);
  assertDisjoint(dataset);
  return dataset.test.length > 0 ? dataset : { ...dataset, val: [], test: dataset.val };
}

/**
 * The photos of a data set to judge a model by: its test part; where it has none, the part that was kept from the model if
 * it was trained on this data set, and else all.
 *
 * @param trained what the model was trained on
 * @throws {DataError} if it is missing or holds no photos
 */
export async function readTestSamples(source: string, trained: { seed: number; dataHash: string }): Promise<Sample[]> {
  if (isIdx(source)) return (await readIdx(source)).test;
  const samples = await listSamples(source);
  const test = samples.filter(({ part }) => part === "test");
  if (test.length > 0) return test;
  if (identitiesOf(samples).length < MIN_IDENTITIES) return samples;
  const dataset = await readDataset(source, trained.seed);
  return await hashOf(dataset) === trained.dataHash ? dataset.test : samples;
}

/** The folder beside the parts of a data set that is the gallery unless another is given. */
const PACKSHOTS = "packshots";

/**
 * The photos to look those of a data set up in: all of a folder or manifest, or of the data set's own `packshots/`.
 *
 * @param given the folder or manifest, if one was given
 * @returns none if none was given and there are none
 * @throws {DataError} if what was given is missing or holds no photos
 */
export async function readGallery(source: string, given: string | undefined): Promise<Sample[]> {
  if (given !== undefined) return await listSamples(given);
  const has = (folder: string) => Deno.stat(`${source}/${folder}`).then((file) => file.isDirectory, () => false);
  // Without parts beside it `packshots` is an identity like any other.
  return await has(PACKSHOTS) && (await has("train") || await has("test"))
    ? await listSamples(`${source}/${PACKSHOTS}`)
    : [];
}

const MIN_IDENTITIES = 5;
/** Pairs of photos of different identities that a test part should have, for thresholds to be found on it. */
export const ENOUGH_PAIRS = 60;

/**
 * Splits 70 : 10 : 20 by identity, the same way for the same seed; an identity's photos stay together. Identities with one
 * photo are trained on, as negatives. Of few photos more than 20% are kept to judge by, up to half of the identities.
 *
 * @throws {DataError} if there are fewer than five identities with two photos or more
 */
export function splitByIdentity(samples: Sample[], seed: number): Dataset {
  const photos = countByIdentity(samples);
  const identities = identitiesOf(samples).filter((identity) => photos.get(identity)! > 1);
  if (identities.length < MIN_IDENTITIES) {
    throw new DataError(
      `${identities.length} identities have two photos or more: at least ${MIN_IDENTITIES} are needed, some to train on and others to judge by; add folders.`,
    );
  }
  const shuffled = permutation(identities.length, randomStream(seed, "split")).map((i) => identities[i]);
  let testCount = Math.max(2, Math.round(identities.length * 0.2));
  const pairs = () => pairsAcross(shuffled.slice(0, testCount).map((identity) => photos.get(identity)!));
  while (pairs() < ENOUGH_PAIRS && testCount < Math.floor(identities.length / 2)) testCount++;
  const valCount = Math.min(Math.round(identities.length * 0.1), identities.length - testCount - 2);
  const part = new Map(shuffled.map((identity, rank) => [
    identity,
    rank < testCount ? "test" : rank < testCount + valCount ? "val" : "train",
  ]));
  const of = (name: Part) => samples.filter(({ identity }) => (part.get(identity) ?? "train") === name);
  return { train: of("train"), val: of("val"), test: of("test") };
}

/** Pairs of photos of different identities. */
export function impostorPairs(samples: { identity: string }[]): number {
  return pairsAcross([...countByIdentity(samples).values()]);
}

function pairsAcross(photosByIdentity: number[]): number {
  const total = photosByIdentity.reduce((sum, count) => sum + count, 0);
  return (total ** 2 - photosByIdentity.reduce((sum, count) => sum + count ** 2, 0)) / 2;
}

/** How many photos each identity has. */
export function countByIdentity(samples: { identity: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { identity } of samples) counts.set(identity, (counts.get(identity) ?? 0) + 1);
  return counts;
}

function identitiesOf(samples: Sample[]): string[] {
  return [...new Set(samples.map((sample) => sample.identity))].sort();
}

/** Whether some identities to judge by are trained on too: in MNIST all are, elsewhere none. */
export function isSeen({ train, test }: Dataset): boolean {
  const trained = new Set(train.map(({ identity }) => identity));
  return test.some(({ identity }) => trained.has(identity));
}

/**
 * SHA-256 of which photo shows whom in which part, and of the size of each file: says whether two runs saw the same data
 * set, wherever it lay.
 */
export async function hashOf(dataset: Partial<Dataset>): Promise<string> {
  const samples = PARTS.flatMap((part) => (dataset[part] ?? []).map((sample) => ({ part, ...sample })));
  const lines = await Promise.all(samples.map(async ({ part, identity, name, path, image }) => {
    const size = image ? 0 : await Deno.stat(path).then((file) => file.size, () => -1);
    return `${part}\t${identity}\t${name}\t${size}`;
  }));
  return await sha256(new TextEncoder().encode(lines.join("\n")));
}

/**
 * Lists all photos of a folder or a manifest.
 *
 * @throws {DataError} if it is missing or holds no photos
 */
export function listSamples(source: string): Promise<ListedSample[]> {
  return isManifest(source) ? listManifest(source) : listFolder(source);
}

function assertDisjoint(dataset: Dataset): void {
  const part = new Map<string, string>();
  for (const name of PARTS) {
    for (const { identity } of dataset[name]) {
      const other = part.get(identity) ?? name;
      if (other !== name) {
        throw new DataError(
          `${identity} is in both ${other} and ${name}: an identity must be in one part only; move its photos.`,
        );
      }
      part.set(identity, name);
    }
  }
}
