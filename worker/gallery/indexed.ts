import { ulid } from "ulid";
import { compareNames } from "./compare_names.ts";
import {
  type Gallery,
  RepeatedKeyError,
  type RevisionCondition,
  StaleError,
  type SubjectRecord,
  UnknownError,
} from "./gallery.ts";
import { groupCommit } from "./group_commit.ts";
import type { Records } from "./records.ts";
import { restored } from "./restored.ts";
import { searchHeap } from "./search_heap.ts";
import { watchVersion } from "./watch.ts";

/** What keeps the records of a gallery beyond this process. */
export interface Store {
  /** Brings the records up to date with what other processes have changed; the journal must be empty, and stays so. */
  refresh?: () => void;
  /**
   * Makes changes durable, all or none.
   *
   * @param make makes the changes on the records, in the journal; may be called again once they are undone
   * @throws {StorageFullError} if there is no room for them
   */
  transact(make: () => void): Promise<void>;
  /** Releases what is held; nothing is called afterwards. */
  close?: () => void;
}

/** What `createIndexedGallery` takes. */
export interface IndexedGalleryOptions {
  records: Records;
  store: Store;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** A gallery whose records are all in memory, where the search is exact, and are kept by a store. */
export function createIndexedGallery({ records, store, now }: IndexedGalleryOptions): Gallery {
  const commits = groupCommit(records, store.transact);
  const events = new EventTarget();
  const change = async <T>(make: () => T) => {
    const result = await commits.run(make);
    events.dispatchEvent(new Event("change"));
    return result;
  };
  /** The records to read: up to date, unless changes of this process are just being written. */
  const present = () => {
    if (records.mark === 0) store.refresh?.();
    return records;
  };
  // deno-lint-ignore require-await
  const version = async () => present().version;
  const summary = (collection: string) => {
    const subjects = [...present().living(collection)];
    const images = subjects.reduce((sum, subject) => sum + subject.images.length, 0);
    return { collection, subjects: subjects.length, images };
  };

  return {
    // deno-lint-ignore require-await
    collections: async () => present().names().map(summary),

    // deno-lint-ignore require-await
    collection: async (collection) => summary(collection),

    putCollection: (collection) => change(() => records.create(collection)),

    deleteCollection: (collection) => change(() => records.drop(collection)),

    // deno-lint-ignore require-await
    async subjects(collection, { after, limit }) {
      const all = [...present().living(collection)]
        .filter(({ subject }) => after === null || compareNames(subject, after) > 0);
      const page = all.sort((a, b) => compareNames(a.subject, b.subject)).slice(0, limit);
      return { subjects: page, next: all.length > limit ? page[limit - 1].subject : null };
    },

    // deno-lint-ignore require-await
    subject: async (collection, subject) => present().get(collection, subject),

    putSubject: (collection, subject, fields, condition) =>
      change(() => {
        const previous = records.find(collection, subject);
        check(previous, subject, condition);
        const record = { subject, ...fields, revision: ulid(), images: previous?.images ?? [] };
        records.set(collection, record);
        return { record, created: previous === undefined };
      }),

    deleteSubject: (collection, subject, condition) =>
      change(() => {
        check(records.get(collection, subject), subject, condition);
        records.delete(collection, subject);
      }),

    addImage: (collection, subject, embedding, { expiresAt = null, ...beside } = {}, condition) =>
      change(() => {
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
          expiresAt,
          ...previous,
          subject,
          revision: ulid(),
          images: [...previous?.images ?? [], enrolled],
        };
        records.set(collection, record);
        return { image, record };
      }),

    deleteImage: (collection, subject, image, condition) =>
      change(() => {
        const record = records.get(collection, subject);
        const images = record.images.filter((enrolled) => enrolled.image !== image);
        if (images.length === record.images.length) throw new UnknownError("image", image);
        check(record, subject, condition);
        records.set(collection, { ...record, revision: ulid(), images });
      }),

    async search(collection, embedding, options) {
      const heap = await searchHeap();
      return present().search(collection, embedding, options, heap);
    },

    // deno-lint-ignore require-await
    snapshot: async () =>
      present().names().map((collection) => ({ collection, subjects: [...records.living(collection)] })),

    restore: (collection, subjects, replace = false) =>
      change(() => {
        records.create(collection);
        for (const elsewhere of subjects) {
          const previous = records.find(collection, elsewhere.subject);
          const record = restored(previous, elsewhere, replace);
          if (record !== previous) records.set(collection, record);
        }
      }),

    version,

    watch: (signal) => watchVersion(version, events, signal),

    async close() {
      await commits.idle();
      store.close?.();
    },
  };
}

/** @throws {StaleError} if a condition does not hold */
function check(record: SubjectRecord | undefined, subject: string, condition: RevisionCondition | undefined): void {
  if (condition === undefined || (condition === "any" && record !== undefined)) return;
  if (condition === "any" || record === undefined || !condition.includes(record.revision)) {
    throw new StaleError(subject);
  }
}
