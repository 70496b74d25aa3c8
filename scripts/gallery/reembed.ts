import { DataError, GalleryError, UsageError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { SubjectRecord } from "../../shared/snapshot.ts";
import type { Sample } from "../../trainer/data/sample.ts";
import type { Gallery } from "../../worker/gallery/gallery.ts";
import { openGallery } from "../../worker/gallery/open.ts";
import { type Counts, enroll, type EnrollJob } from "../enroll/enroll.ts";
import { configWith, isThere, type Opened } from "./location.ts";
import { createSuccessor, withoutImages } from "./successor.ts";

/** How often the old gallery is gone through again because it was changed meanwhile. */
const MOST_ROUNDS = 5;

/** What is embedded again, and into what. */
export interface ReembedJob extends Pick<EnrollJob, "root" | "concurrency" | "maxUnreadable" | "reporter" | "signal"> {
  /** The gallery of the model before, which stays as it is. */
  old: Opened;
  collection: string;
  /** Photos; the identity of each is its subject. */
  samples: readonly Sample[];
  /** The new model. */
  model: ModelFiles;
  /** The URL of the gallery that is made. */
  to: string;
}

/** What came of it. */
export interface Reembedded extends Counts {
  /** Subjects that had images and have none now, for no photo of theirs was given. */
  withoutImages: string[];
  /** Whether the new gallery is at its place; not so if it was stopped. */
  isPublished: boolean;
}

/**
 * Embeds the photos of all who are in a gallery with another model, into a gallery beside it, with the same subjects, metadata,
 * expiries and image ids. The old one is only read: workers go on with it. A new database is at its place from one moment to
 * the next, when it is complete; until then it lies beside, where the same command goes on with it.
 *
 * @throws {GalleryError} if there is a database at the new place already, or one of both cannot be used
 * @throws {DataError} if no photo is of anybody in the gallery
 */
export async function reembed(job: ReembedJob): Promise<Reembedded> {
  const { old, collection, model, signal } = job;
  const target = await targetAt(job.to);
  const gallery = await openGallery(target.location, model.card);
  const counts: Counts = { enrolled: 0, known: 0, unreadable: 0 };
  let left: string[] = [];
  try {
    for (let round = 0, seen = ""; round < MOST_ROUNDS && !signal.aborted; round++) {
      const version = await old.gallery.version();
      if (version === seen) break;
      seen = version;
      const subjects = await subjectsIn(old.gallery, collection);
      const successor = createSuccessor(gallery, collection, subjects);
      const samples = await successor.wanted(job.samples);
      if (samples.length === 0 && subjects.some(({ images }) => images.length > 0)) throw nobody(collection, old.name);
      const { enrolled, known, unreadable } = await enroll({ ...job, samples, destination: successor });
      counts.enrolled += enrolled;
      Object.assign(counts, { known, unreadable });
      if (!signal.aborted) await successor.settle();
      left = await withoutImages(gallery, collection, subjects);
    }
  } finally {
    await gallery.close();
  }
  if (!signal.aborted) await target.publish();
  return { ...counts, withoutImages: left, isPublished: !signal.aborted };
}

/** Where the new gallery is made, and what brings it to its place. */
async function targetAt(url: string) {
  const { gallery: location } = configWith(url, "write");
  if (location.kind !== "sqlite") return { location, publish: () => Promise.resolve() };
  const { path } = location, part = `${path}.part`;
  if (await isThere(path)) {
    throw new GalleryError(`${path} is there already, and a worker may use it; give --to a new place.`);
  }
  const publish = async () => {
    // Unlike a renaming, this never takes the place of what a worker has made there meanwhile.
    await Deno.link(part, path).catch(() => {
      throw new GalleryError(`Cannot make ${path} of ${part}; move it there once nothing else is at that place.`);
    });
    await Deno.remove(part);
  };
  return { location: { kind: "sqlite", path: part } as const, publish };
}

async function subjectsIn(gallery: Gallery, collection: string): Promise<SubjectRecord[]> {
  const found = (await gallery.snapshot()).find((of) => of.collection === collection);
  if (found === undefined) throw new UsageError(`There is no collection "${collection}" to embed again.`);
  return found.subjects;
}

function nobody(collection: string, name: string): DataError {
  return new DataError(`No photo is of a subject of the collection "${collection}" in ${name}; check --data.`);
}
