import { ulid } from "ulid";
import { sha256 } from "../../shared/sha256.ts";
import type { ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import type { Sample } from "../../trainer/data/sample.ts";
import { type Gallery, UnknownError } from "../../worker/gallery/gallery.ts";
import type { Destination } from "../enroll/destination.ts";

const BATCH = 256;

/** A collection of a new model that takes over from that of an old one. */
export interface Successor extends Destination {
  /**
   * The photos that are to be embedded again: those that an image of the old collection is of, and all of a subject with an
   * image of which nothing tells what it is of.
   */
  wanted(samples: readonly Sample[]): Promise<Sample[]>;
  /** Makes the new collection's subjects those of the old one, with their fields and the images that were embedded again. */
  settle(): Promise<void>;
}

/** @param subjects of the old collection */
export function createSuccessor(gallery: Gallery, collection: string, subjects: readonly SubjectRecord[]): Successor {
  const old = new Map(subjects.map((record) => [record.subject, record]));
  const imageOf = (subject: string, key: string) =>
    old.get(subject)?.images.find((image) => keysOf(image).includes(key));

  return {
    batch: BATCH,

    async images(subject) {
      const { images } = await present(gallery, collection, subject);
      return images.flatMap((image) => keysOf(image).map((key) => ({ image: image.image, key })));
    },

    async add(subject, key, embedding) {
      const before = imageOf(subject, key);
      if (before === undefined) {
        const request = { key, digest: key.replace("sha256:", "") };
        return (await gallery.addImage(collection, subject, embedding, { request })).image;
      }
      await gallery.restore(collection, [{ ...old.get(subject)!, images: [{ ...before, embedding }] }]);
      return before.image;
    },

    async wanted(samples) {
      const wanted: Sample[] = [];
      for (const sample of samples) {
        const images = old.get(sample.identity)?.images ?? [];
        const isWanted = images.some(({ request }) => request === undefined) ||
          images.length > 0 && imageOf(sample.identity, await sha256(await Deno.readFile(sample.path))) !== undefined;
        if (isWanted) wanted.push(sample);
      }
      return wanted;
    },

    async settle() {
      for (const record of subjects) {
        const { images, ...fields } = await present(gallery, collection, record.subject);
        const isTracedAll = record.images.every(({ request }) => request !== undefined);
        const ids = new Set(record.images.map(({ image }) => image));
        const kept = images.filter(({ image }) => !isTracedAll || ids.has(image));
        const next = { ...record, revision: ulid(), images: kept };
        const isSettled = kept.length === images.length && fields.expiresAt === record.expiresAt &&
          fields.revision !== "" && JSON.stringify(fields.metadata) === JSON.stringify(record.metadata);
        if (!isSettled) await gallery.restore(collection, [next], true);
      }
      const here = (await gallery.snapshot()).find((of) => of.collection === collection)?.subjects ?? [];
      for (const { subject } of here) if (!old.has(subject)) await gallery.deleteSubject(collection, subject);
    },

    close: () => gallery.close(),
  };
}

/** Those who had images before and have none now. */
export async function withoutImages(
  gallery: Gallery,
  collection: string,
  subjects: readonly SubjectRecord[],
): Promise<string[]> {
  const here = (await gallery.snapshot()).find((of) => of.collection === collection)?.subjects ?? [];
  const having = new Set(here.filter(({ images }) => images.length > 0).map(({ subject }) => subject));
  return subjects.filter(({ subject, images }) => images.length > 0 && !having.has(subject)).map((s) => s.subject);
}

/** A subject as it is now; one without images and fields if it is not there. */
async function present(gallery: Gallery, collection: string, subject: string): Promise<SubjectRecord> {
  try {
    return await gallery.subject(collection, subject);
  } catch (error) {
    if (!(error instanceof UnknownError)) throw error;
    return { subject, metadata: {}, expiresAt: null, revision: "", images: [] };
  }
}

/** By what the photo of an image is known: bulk enrolment has its SHA-256 as its key, the worker as its digest. */
function keysOf({ request }: ImageRecord): string[] {
  return request === undefined ? [] : [request.key, `sha256:${request.digest}`];
}
