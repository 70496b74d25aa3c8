import type { InputSpec } from "../shared/card.ts";
import { fitPixels, imageOf } from "../shared/image/mod.ts";
import { countByIdentity, isSeen } from "./data/dataset.ts";
import {
  type Photo,
  type Probe,
  readFaceProbes,
  type ReadOptions,
  readPhotos,
  readProbes,
  type Unreadable,
} from "./data/photos.ts";
import type { Dataset, Sample } from "./data/sample.ts";
import { sharePhotos } from "./data/shared_photos.ts";
import { CALIBRATION_IMAGES, spread } from "./export/mod.ts";
import type { FaceFinder } from "./faces.ts";
import type { Reporter } from "./report/progress.ts";

/** The photos of a run, decoded. */
export interface PhotoSets {
  /** To train on, those of the gallery last. */
  photos: readonly Photo[];
  /** How many photos to train on are of the gallery. */
  enrolled: number;
  /** To watch the training by; may be none. */
  val: Probe[];
  /** To judge the trained network by. */
  probes: Probe[];
  /** Of a run with faces: the photos to judge by without one that was found. */
  undetected: Sample[] | undefined;
  /** To look the probes up in; none where it has none of their identities. */
  gallery: Probe[];
}

/**
 * Decodes the photos of a data set and of a gallery. The gallery's photos of identities that are trained on are to train on too.
 *
 * @throws {DataError} if more than the allowed share of files cannot be read
 */
export async function readPhotoSets(
  dataset: Dataset,
  listed: Sample[],
  input: InputSpec,
  { maxUnreadable, reporter, faces }: { maxUnreadable: number; reporter: Reporter; faces?: FaceFinder | undefined },
): Promise<PhotoSets> {
  const trained = countByIdentity(dataset.train), judged = countByIdentity(dataset.test);
  const enrolled = listed.filter(({ identity }) => trained.has(identity));
  const searched = listed.some(({ identity }) => judged.has(identity)) ? listed : [];
  if (searched.length < listed.length) {
    reporter.warn("the gallery has none of the identities to judge by, so there are no figures of it.");
  }
  const parts = [dataset.train, enrolled, dataset.val, dataset.test, searched];
  const bar = reporter.progress("Reading photos", parts.reduce((sum, samples) => sum + samples.length, 0));
  let before = 0;
  const missed: Sample[][] = [];
  const read = async <T>(samples: Sample[], readAll: Readers[keyof Readers]): Promise<T[]> => {
    const start = before;
    before += samples.length;
    const { items, undetected = [], unreadable } = await readAll(samples, input, {
      maxUnreadable,
      onProgress: (done) => bar.update(start + done),
    });
    for (const { path, reason } of unreadable) reporter.warn(`skipped ${path}: ${reason}`);
    for (const { path } of undetected) reporter.warn(`found no face in ${path}`);
    missed.push(undetected);
    return items as T[];
  };
  const readers = readersFor(faces);
  const photos = await read<Photo>(dataset.train, readers.photos);
  const own = await read<Photo>(enrolled, readers.photos);
  const val = await read<Probe>(dataset.val, readers.probes);
  const probes = await read<Probe>(dataset.test, readers.probes);
  const undetected = faces && missed.at(-1);
  const gallery = await read<Probe>(searched, readers.probes);
  bar.done();
  reporter.info(inWords({ photos, own, val, probes, seen: isSeen(dataset) }));
  return { photos: sharePhotos([...photos, ...own]), enrolled: own.length, val, probes, undetected, gallery };
}

interface Outcome<T> {
  items: T[];
  undetected?: Sample[];
  unreadable: Unreadable[];
}

type Reader<T> = (samples: Sample[], input: InputSpec, options: ReadOptions) => Promise<Outcome<T>>;

/** How photos are read to train on, and to judge by. */
interface Readers {
  photos: Reader<Photo>;
  probes: Reader<Probe>;
}

/** Reads whole photos, or of each the largest face, upright. */
export function readersFor(faces: FaceFinder | undefined): Readers {
  if (faces === undefined) return { photos: readPhotos, probes: readProbes };
  const probes: Reader<Probe> = (samples, input, options) =>
    readFaceProbes(samples, faces.networks, { input, face: faces.spec }, options);
  return {
    probes,
    async photos(samples, input, options) {
      const { items, ...others } = await probes(samples, input, options);
      return { ...others, items: items.map(({ identity, pixels }) => ({ identity, image: imageOf(pixels, input) })) };
    },
  };
}

/** Some of the photos to train on as the network sees them when served, spread over all. */
export function calibrationViews(photos: readonly Photo[], input: InputSpec): Promise<{ pixels: Uint8Array }[]> {
  return Promise.all(calibrationOf(photos).map(async ({ image }) => ({ pixels: await fitPixels(image, input) })));
}

/** As many of a list as int8 is calibrated on, spread over all of it. */
export function calibrationOf<T>(all: readonly T[]): T[] {
  return spread(all.length, Math.min(CALIBRATION_IMAGES, all.length)).map((i) => all[i]);
}

function inWords(
  { photos, own, val, probes, seen }: Record<"photos" | "own" | "val" | "probes", Identified[]> & { seen: boolean },
): string {
  const count = (samples: Identified[]) => `${samples.length} photos of ${countByIdentity(samples).size}`;
  const enrolled = own.length > 0 ? ` and ${own.length} of the gallery` : "";
  const watching = val.length > 0 ? ` validating on ${count(val)} others,` : "";
  return `Training on ${count(photos)} identities${enrolled},${watching} judging on ${count(probes)} ${
    seen ? "of them" : "others"
  }.`;
}

interface Identified {
  readonly identity: string;
}
