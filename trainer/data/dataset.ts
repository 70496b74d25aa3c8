import { DataError } from "../../shared/errors.ts";
import { sha256 } from "../../shared/sha256.ts";
import { permutation, randomStream } from "../random.ts";
import { listFolder } from "./folder.ts";
import { isIdx, readIdx } from "./idx.ts";
import { isManifest, listManifest } from "./manifest.ts";
import { type Dataset, type ListedSample, PARTS, type Sample } from "./sample.ts";

/**
 * Reads a folder of photos, a manifest or MNIST. Where it does not say which photos are to train on and which to judge by, its
 * identities are split 70 : 10 : 20 by the seed.
 *
 * @param source a folder, a `.csv` or `.jsonl` file, or `mnist:` and a folder
 * @throws {DataError} if it is missing, holds no photos, or has an identity in two parts
 */
export async function readDataset(source: string, seed: number): Promise<Dataset> {
  if (isIdx(source)) return await readIdx(source);
  const samples = await list(source);
  const dataset = Object.fromEntries(
    PARTS.map((part) => [part, samples.filter((sample) => sample.part === part)]),
  ) as Dataset;
  const isSplit = dataset.train.length > 0 && dataset.test.length > 0;
  if (!isSplit) return splitByIdentity(dataset.train.length > 0 ? dataset.train : samples, seed);
  assertDisjoint(dataset);
  return dataset;
}

/**
 * The photos of a data set to judge by: its test part, or all where it has none.
 *
 * @throws {DataError} if it is missing or holds no photos
 */
export async function readTestSamples(source: string): Promise<Sample[]> {
  if (isIdx(source)) return (await readIdx(source)).test;
  const samples = await list(source);
  const test = samples.filter(({ part }) => part === "test");
  return test.length > 0 ? test : samples;
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

/** Whether some identities to judge by are trained on too: in MNIST all are, elsewhere none. */
export function isSeen({ train, test }: Dataset): boolean {
  const trained = new Set(train.map(({ identity }) => identity));
  return test.some(({ identity }) => trained.has(identity));
}

/** SHA-256 of which photo shows whom in which part: says whether two runs saw the same data set, wherever it lay. */
export function hashOf(dataset: Dataset): Promise<string> {
  const lines = PARTS.flatMap((part) => dataset[part].map(({ identity, name }) => `${part}\t${identity}\t/${name}`));
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

function list(source: string): Promise<ListedSample[]> {
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
