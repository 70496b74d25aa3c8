import { ulid } from "ulid";
import type { Card } from "../../shared/card.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { compareNames } from "./compare_names.ts";
import { contains } from "./filter.ts";
import {
  type Gallery,
  RepeatedKeyError,
  type RevisionCondition,
  StaleError,
  type SubjectRecord,
  UnknownError,
} from "./gallery.ts";
import { groupCommit } from "./group_commit.ts";
import { Records } from "./records.ts";
import { nearestSubjects } from "./search.ts";

/** What a gallery in memory is made of. */
export interface MemoryGalleryOptions {
  /** What the gallery holds at first; also says of which model it is. */
  snapshot: GallerySnapshot;
  /** Makes the whole gallery durable; the default keeps it in memory alone. */
  persist?: (snapshot: GallerySnapshot) => Promise<void>;
  /** Milliseconds since 1970, the default is the clock. */
  now?: () => number;
}

/** A gallery in memory, with exact search, that is written as a whole after every change. */
export function createMemoryGallery({ snapshot, persist, now = Date.now }: MemoryGalleryOptions): Gallery {
  const records = new Records(now);
  for (const { collection, subjects } of snapshot.collections) {
    records.create(collection);
    for (const subject of subjects) records.set(collection, subject);
  }
  records.forget();

  const present = (): GallerySnapshot => ({
    ...snapshot,
    collections: records.names().map((collection) => ({ collection, subjects: [...records.living(collection)] })),
  });
  const changes = groupCommit(records, async () => {
    records.purge();
    if (persist !== undefined) await persist(present());
  });
  const summary = (collection: string) => {
    const subjects = [...records.living(collection)];
    const images = subjects.reduce((sum, subject) => sum + subject.images.length, 0);
    return { collection, subjects: subjects.length, images };
  };

  return {
    // deno-lint-ignore require-await
    collections: async () => records.names().map(summary),

    // deno-lint-ignore require-await
    collection: async (collection) => summary(collection),

    putCollection: (collection) => changes.run(() => records.create(collection)),

    deleteCollection: (collection) => changes.run(() => records.drop(collection)),

    // deno-lint-ignore require-await
    async subjects(collection, { after, limit }) {
      const all = [...records.living(collection)]
        .filter(({ subject }) => after === null || compareNames(subject, after) > 0);
      const page = all.sort((a, b) => compareNames(a.subject, b.subject)).slice(0, limit);
      return { subjects: page, next: all.length > limit ? page[limit - 1].subject : null };
    },

    // deno-lint-ignore require-await
    subject: async (collection, subject) => records.get(collection, subject),

    putSubject: (collection, subject, fields, condition) =>
      changes.run(() => {
        const previous = records.find(collection, subject);
        check(previous, subject, condition);
        const record = { subject, ...fields, revision: ulid(), images: previous?.images ?? [] };
        records.set(collection, record);
        return { record, created: previous === undefined };
      }),

    deleteSubject: (collection, subject, condition) =>
      changes.run(() => {
        check(records.get(collection, subject), subject, condition);
        records.delete(collection, subject);
      }),

    addImage: (collection, subject, embedding, beside = {}, condition) =>
      changes.run(() => {
        const { request } = beside;
        const previous = records.find(collection, subject);
        const made = previous?.images.find((image) => request !== undefined && image.request?.key === request.key);
        if (previous !== undefined && made !== undefined) {
          if (made.request?.digest !== request?.digest) throw new RepeatedKeyError(request?.key ?? "");
          return { image: made.image, record: previous };
        }
        check(previous, subject, condition);
        const image = ulid();
        const enrolled = { image, createdAt: new Date(now()).toISOString(), embedding, ...beside };
        const record = {
          metadata: {},
          expiresAt: null,
          ...previous,
          subject,
          revision: ulid(),
          images: [...previous?.images ?? [], enrolled],
        };
        records.set(collection, record);
        return { image, record };
      }),

    deleteImage: (collection, subject, image, condition) =>
      changes.run(() => {
        const record = records.get(collection, subject);
        const images = record.images.filter((enrolled) => enrolled.image !== image);
        if (images.length === record.images.length) throw new UnknownError("image", image);
        check(record, subject, condition);
        records.set(collection, { ...record, revision: ulid(), images });
      }),

    // deno-lint-ignore require-await
    async search(collection, embedding, { k, filter, exclude }) {
      const compared = [...records.living(collection)].filter(({ subject, images, metadata }) =>
        images.length > 0 && subject !== exclude && (filter === undefined || contains(metadata, filter))
      );
      return { subjects: compared.length, nearest: nearestSubjects(compared, embedding, k) };
    },

    close: () => changes.idle(),
  };
}

/** A gallery for a model with nothing in it, in memory alone. */
export function emptyGallery(card: Pick<Card, "fingerprint" | "embedding">): Gallery {
  return createMemoryGallery({ snapshot: emptySnapshot(card) });
}

/** What a gallery holds that nobody is enrolled in. */
export function emptySnapshot({ fingerprint, embedding }: Pick<Card, "fingerprint" | "embedding">): GallerySnapshot {
  return { fingerprint, dimensions: embedding.dimensions, collections: [] };
}

/** @throws {StaleError} if a condition does not hold */
function check(record: SubjectRecord | undefined, subject: string, condition: RevisionCondition | undefined): void {
  if (condition === undefined || (condition === "any" && record !== undefined)) return;
  if (condition === "any" || record === undefined || !condition.includes(record.revision)) {
    throw new StaleError(subject);
  }
}
