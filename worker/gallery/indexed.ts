import { checkRevision, withFields, withImage, withoutImage } from "./changes.ts";
import type { Gallery } from "./gallery.ts";
import { groupCommit } from "./group_commit.ts";
import type { Records } from "./records.ts";
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
  return {
    // deno-lint-ignore require-await
    collections: async () => present().names().map((collection) => records.summary(collection)),

    // deno-lint-ignore require-await
    collection: async (collection) => present().summary(collection),

    putCollection: (collection) => change(() => records.create(collection)),

    deleteCollection: (collection) => change(() => records.drop(collection)),

    // deno-lint-ignore require-await
    subjects: async (collection, { after, limit }) => present().page(collection, after, limit),

    // deno-lint-ignore require-await
    subject: async (collection, subject) => present().get(collection, subject),

    putSubject: (collection, subject, fields, condition) =>
      change(() => {
        const put = withFields(records.find(collection, subject), subject, fields, condition);
        records.set(collection, put.record);
        return put;
      }),

    deleteSubject: (collection, subject, condition) =>
      change(() => {
        checkRevision(records.get(collection, subject), subject, condition);
        records.delete(collection, subject);
      }),

    addImage: (collection, subject, embedding, beside, condition) =>
      change(() => {
        const previous = records.find(collection, subject);
        const added = withImage(previous, subject, { embedding, ...beside }, condition, now());
        if (added.record !== previous) records.set(collection, added.record);
        return added;
      }),

    deleteImage: (collection, subject, image, condition) =>
      change(() => {
        records.set(collection, withoutImage(records.get(collection, subject), image, condition));
      }),

    async search(collection, embedding, options) {
      const heap = await searchHeap();
      return present().search(collection, embedding, options, heap);
    },

    version,

    watch: (signal) => watchVersion(version, events, signal),

    async close() {
      await commits.idle();
      store.close?.();
    },
  };
}
