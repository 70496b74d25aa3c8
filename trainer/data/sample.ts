import type { Image } from "../../shared/image/mod.ts";

/** The parts of a data set: to train on, to choose by, and to judge by. */
export const PARTS = ["train", "val", "test"] as const;

/** The name of a part. */
export type Part = typeof PARTS[number];

/** One photo and who or what is on it. */
export interface Sample {
  path: string;
  /** Its path within the data set. */
  name: string;
  identity: string;
  /** The decoded image, where it is not a file of its own. */
  image?: () => Image;
}

/** A sample as a data set lists it, with its part if the data set says so. */
export interface ListedSample extends Sample {
  part?: Part | undefined;
}

/** The parts of a data set. No identity is in two of them, but in MNIST. */
export type Dataset = Record<Part, Sample[]>;
