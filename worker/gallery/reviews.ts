import type { Card } from "../../shared/card.ts";
import { distance } from "../../shared/distance.ts";
import { type Beside, type Gallery, type SubjectPage, type SubjectRecord, UnknownError } from "./gallery.ts";

/** Images that wait for a review lie in a collection beside their own, under a name that no client can write. */
const BESIDE = "review\u001f";

/** Why an image is held: it is far from the others of its subject, or close to another subject. */
export type Doubt = "far-from-subject" | "close-to-other";

/** An enrolment that waits for a review. */
export interface Held {
  subject: string;
  /** The id of the held image. */
  review: string;
  createdAt: string;
  /** By the gallery as it is now. */
  doubts: Doubt[];
}

/** Enrolments that are in doubt. What waits is kept as durably as the gallery, and deleted with its subject and collection. */
export interface Reviews {
  /** What speaks against enrolling an embedding without a look at it; nothing where a request is only repeated. */
  doubts(collection: string, subject: string, embedding: Float32Array, requestKey?: string): Promise<Doubt[]>;
  /** Lets an image wait. @returns the id of the review, that of before for a request that is repeated */
  hold(collection: string, subject: string, embedding: Float32Array, beside: Beside): Promise<string>;
  /** What waits, in the order of the subjects' names. @param page.after the subject after which to go on */
  list(
    collection: string,
    page: { after: string | null; limit: number },
  ): Promise<{ held: Held[]; next: string | null }>;
  /** Enrols what waits. @throws {UnknownError} if it does not wait */
  accept(collection: string, subject: string, review: string): ReturnType<Gallery["addImage"]>;
  /** Deletes what waits. @throws {UnknownError} if it does not wait */
  refuse(collection: string, subject: string, review: string): Promise<void>;
}

/**
 * A gallery as clients see it, and the reviews that are kept in it.
 *
 * @param thresholds of the card: nearer to another subject than the strictest, an image is in doubt, and farther from all of
 * its own subject than the loosest
 */
export function withReviews(
  gallery: Gallery,
  { thresholds }: Pick<Card, "thresholds">,
): { gallery: Gallery; reviews: Reviews } {
  const distances = thresholds.map((threshold) => threshold.distance);
  const [close, far] = [Math.min(...distances), Math.max(...distances)];

  const doubtsOf = async (
    collection: string,
    { subject, images }: Pick<SubjectRecord, "subject" | "images">,
    embedding: Float32Array,
  ): Promise<Doubt[]> => {
    const { nearest } = await orIfUnknown(
      gallery.search(collection, embedding, { k: 1, exclude: subject }),
      { subjects: 0, nearest: [] },
    );
    const doubts: Doubt[] = [];
    if (images.length > 0 && images.every((image) => distance(image.embedding, embedding) > far)) {
      doubts.push("far-from-subject");
    }
    if (nearest.some((other) => other.distance <= close)) doubts.push("close-to-other");
    return doubts;
  };
  const enrolled = (collection: string, subject: string) =>
    orIfUnknown<Pick<SubjectRecord, "subject" | "images">>(gallery.subject(collection, subject), {
      subject,
      images: [],
    });
  const waiting = async (collection: string, subject: string, review: string) => {
    const record = await orIfUnknown<SubjectRecord | null>(gallery.subject(BESIDE + collection, subject), null);
    const image = record?.images.find(({ image }) => image === review);
    if (record === null || image === undefined) throw new UnknownError("review", review);
    return { record, image };
  };
  const remove = async (collection: string, { subject, images, revision }: SubjectRecord, review: string) => {
    if (images.length > 1) await gallery.deleteImage(BESIDE + collection, subject, review);
    else await gallery.deleteSubject(BESIDE + collection, subject, [revision]);
  };

  const reviews: Reviews = {
    async doubts(collection, subject, embedding, requestKey) {
      const record = await enrolled(collection, subject);
      const isRepeated = requestKey !== undefined && record.images.some(({ request }) => request?.key === requestKey);
      return isRepeated ? [] : await doubtsOf(collection, record, embedding);
    },

    hold: async (collection, subject, embedding, beside) =>
      (await gallery.addImage(BESIDE + collection, subject, embedding, beside)).image,

    async list(collection, page) {
      const none: SubjectPage = { subjects: [], next: null };
      const { subjects, next } = await orIfUnknown(gallery.subjects(BESIDE + collection, page), none);
      const held = subjects.map(async ({ subject, images }) => {
        const record = await enrolled(collection, subject);
        return await Promise.all(images.map(async ({ image, createdAt, embedding }) => {
          return { subject, review: image, createdAt, doubts: await doubtsOf(collection, record, embedding) };
        }));
      });
      return { held: (await Promise.all(held)).flat(), next };
    },

    async accept(collection, subject, review) {
      const { record, image: { embedding, thumbnail, request } } = await waiting(collection, subject, review);
      // A worker that ends between the two steps leaves an image that waits though it is enrolled; accepted again, it is once.
      const once = request ?? { key: `${BESIDE}${review}`, digest: review };
      const beside = { request: once, thumbnail, expiresAt: record.expiresAt };
      const enrolment = await gallery.addImage(collection, subject, embedding, beside);
      await remove(collection, record, review);
      return enrolment;
    },

    async refuse(collection, subject, review) {
      await remove(collection, (await waiting(collection, subject, review)).record, review);
    },
  };
  return { reviews, gallery: withoutHeld(gallery) };
}

/** A gallery that shows no collection of what waits, and deletes what waits with its subject or collection. */
export function withoutHeld(gallery: Gallery): Gallery {
  return {
    ...gallery,
    collections: async () => (await gallery.collections()).filter(({ collection }) => !collection.startsWith(BESIDE)),
    async deleteCollection(collection) {
      await gallery.deleteCollection(collection);
      await orIfUnknown(gallery.deleteCollection(BESIDE + collection), undefined);
    },
    async deleteSubject(collection, subject, condition) {
      await gallery.deleteSubject(collection, subject, condition);
      await orIfUnknown(gallery.deleteSubject(BESIDE + collection, subject), undefined);
    },
  };
}

async function orIfUnknown<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UnknownError) return otherwise;
    throw error;
  }
}
