import { checkRevision, withFields, withImage, withoutImage } from "./changes.ts";
import type { Gallery, SubjectRecord } from "./gallery.ts";
import { groupCommit } from "./group_commit.ts";
import type { Records } from "./records.ts";
import { restored } from "./restored.ts";
import { searchHeap } from "./search_heap.ts";
import { watchVersion } from "./watch.ts";

/** What keeps the records of a gallery beyond this process. */
export interface Store {
  /** How many changes may be made durable at once; default any number. */
  batch?: number;
  /** Brings the records up to date with what other processes have changed; the journal must be empty, and stays so. */
  refresh?: () => void | Promise<void>;
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
  const commits = groupCommit(records, store.transact, store.batch);
  const events = new EventTarget();
  const change = async <T>(make: () => T) => {
    const result = await commits.run(make);
    events.dispatchEvent(new Event("change"));
    return result;
  };
  /** The records to read: up to date, unless changes of this process are just being written. */
  const present = async () => {
    if (records.mark === 0) await store.refresh?.();
    return records;
  };
  const version = async () => (await present()).version;
  return {
    async collections() {
      await present();
      return records.names().map((collection) => records.summary(collection));
    },

    collection: async (collection) => (await present()).summary(collection),

    putCollection: (collection) => change(() => records.create(collection)),

    deleteCollection: (collection) => change(() => records.drop(collection)),

    subjects: async (collection, { after, limit }) => (await present()).page(collection, after, limit),

    subject: async (collection, subject) => (await present()).get(collection, subject),

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
      return (await present()).search(collection, embedding, options, heap);
    },

    snapshot: async () =>
      (await present()).names().map((collection) => ({ collection, subjects: [...records.living(collection)] })),

    async restore(collection, subjects, replace = false) {
      await change(() => records.create(collection));
      for (const part of inParts(subjects, store.batch)) {
        await change(() => {
          for (const elsewhere of part) {
            const previous = records.find(collection, elsewhere.subject);
            const record = restored(previous, elsewhere, replace);
            if (record !== previous) records.set(collection, record);
          }
        });
      }
    },

    version,

    watch: (signal) => watchVersion(version, events, signal),

    async close() {
      await commits.idle();
      store.close?.();
    },
  };
}

/** Parts of a list that have about as many images, or subjects without, as are made durable at once. */
function inParts(subjects: readonly SubjectRecord[], most = Infinity): SubjectRecord[][] {
  const parts: SubjectRecord[][] = [];
  let room = 0;
  for (const subject of subjects) {
    const size = Math.max(1, subject.images.length);
    if (parts.length === 0 || size > room) {
      parts.push([]);
      room = most;
    }
    parts[parts.length - 1].push(subject);
    room -= size;
  }
  return parts;
}
