import { ulid } from "ulid";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { compareNames } from "./compare_names.ts";
import {
  DEFAULT_COLLECTION,
  type SearchOptions,
  type SearchResult,
  type SubjectRecord,
  UnknownError,
} from "./gallery.ts";
import type { SearchHeap } from "./search_heap.ts";
import { isLiving, Subjects } from "./subjects.ts";

/** One step of a change: a subject, or without one a collection, as it was and as it is; undefined if it is not there. */
export type Step =
  | { collection: string; subject: string; previous: SubjectRecord | undefined; next: SubjectRecord | undefined }
  | { collection: string; subject?: never; previous: Subjects | undefined; next: Subjects | undefined };

/**
 * The records of a gallery in memory, with a journal of what was changed since it was last forgotten, which can be undone
 * or written down. Records are replaced, never changed, so that whoever read one keeps what was read.
 */
export class Records {
  readonly #collections = new Map<string, Subjects>([[DEFAULT_COLLECTION, new Subjects()]]);
  readonly #journal: Step[] = [];
  readonly #now: () => number;
  /** Nothing expires before, milliseconds since 1970. */
  #nextExpiry = Infinity;
  #version = ulid();
  /** The version is another one from then on, milliseconds since 1970. */
  #versionExpiry = Infinity;

  /** @param now milliseconds since 1970: what has expired by then is not there */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The names of all collections, in the order of `compareNames`. */
  names(): string[] {
    return [...this.#collections.keys()].sort(compareNames);
  }

  has(collection: string): boolean {
    return this.#collections.has(collection);
  }

  /** The subjects that have not expired. @throws {UnknownError} */
  *living(collection: string): Generator<SubjectRecord> {
    const now = this.#now();
    for (const record of this.#subjects(collection).values()) if (isLiving(record, now)) yield record;
  }

  /** The nearest subjects that have not expired. @throws {UnknownError} */
  search(collection: string, embedding: Float32Array, options: SearchOptions, heap: SearchHeap): SearchResult {
    return this.#subjects(collection).search(embedding, options, heap, this.#now());
  }

  /** @throws {UnknownError} */
  get(collection: string, subject: string): SubjectRecord {
    const record = this.find(collection, subject);
    if (record === undefined) {
      throw new UnknownError(
        this.has(collection) ? "subject" : "collection",
        this.has(collection) ? subject : collection,
      );
    }
    return record;
  }

  /** As `get`, without an error. */
  find(collection: string, subject: string): SubjectRecord | undefined {
    const record = this.#collections.get(collection)?.get(subject);
    return record !== undefined && isLiving(record, this.#now()) ? record : undefined;
  }

  /** Adds or replaces a subject, and makes its collection if it is new. */
  set(collection: string, record: SubjectRecord): void {
    this.create(collection);
    this.#noteExpiry(record);
    this.#change(collection, record.subject, record);
  }

  /** @throws {UnknownError} if there is no such collection */
  delete(collection: string, subject: string): void {
    this.#change(collection, subject, undefined);
  }

  /** Makes a collection. @returns whether it is new */
  create(collection: string): boolean {
    if (this.has(collection)) return false;
    this.#changeCollection(collection, new Subjects());
    return true;
  }

  /** Removes a collection; `default` is only emptied. @throws {UnknownError} */
  drop(collection: string): void {
    this.#subjects(collection);
    this.#changeCollection(collection, collection === DEFAULT_COLLECTION ? new Subjects() : undefined);
  }

  /** Removes what has expired. */
  purge(): void {
    const now = this.#now();
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Infinity;
    for (const [collection, subjects] of this.#collections) {
      for (const record of subjects.values()) {
        if (!isLiving(record, now)) this.delete(collection, record.subject);
        else this.#noteExpiry(record);
      }
    }
  }

  /** The names of all subjects of a collection, the expired ones too. @throws {UnknownError} */
  subjects(collection: string): string[] {
    return [...this.#subjects(collection).keys()];
  }

  /** Another string after whatever was made final, undone or has expired. */
  get version(): string {
    const now = this.#now();
    if (now >= this.#versionExpiry) {
      this.#renewVersion();
      for (const subjects of this.#collections.values()) {
        for (const record of subjects.values()) if (isLiving(record, now)) this.#noteExpiry(record);
      }
    }
    return this.#version;
  }

  /** What was changed since it was last forgotten, in order. */
  get journal(): readonly Step[] {
    return this.#journal;
  }

  /** How many steps can be undone: `undoTo` takes it. */
  get mark(): number {
    return this.#journal.length;
  }

  /** Undoes what was changed since the mark. */
  undoTo(mark: number): void {
    if (this.#journal.length > mark) {
      this.#nextExpiry = -Infinity;
      this.#renewVersion();
    }
    while (this.#journal.length > mark) {
      const step = this.#journal.pop()!;
      if (step.subject === undefined) {
        put(this.#collections, step.collection, step.previous);
        step.next?.dispose();
      } else put(this.#subjects(step.collection), step.subject, step.previous);
    }
  }

  /** Makes what was changed final. */
  forget(): void {
    if (this.#journal.length > 0) this.#version = ulid();
    for (const step of this.#journal) if (step.subject === undefined) step.previous?.dispose();
    this.#journal.length = 0;
  }

  #subjects(collection: string): Subjects {
    const subjects = this.#collections.get(collection);
    if (subjects === undefined) throw new UnknownError("collection", collection);
    return subjects;
  }

  #change(collection: string, subject: string, next: SubjectRecord | undefined): void {
    const subjects = this.#subjects(collection);
    this.#journal.push({ collection, subject, previous: subjects.get(subject), next });
    put(subjects, subject, next);
  }

  #noteExpiry({ expiresAt }: SubjectRecord): void {
    if (expiresAt === null) return;
    this.#nextExpiry = Math.min(this.#nextExpiry, Date.parse(expiresAt));
    this.#versionExpiry = Math.min(this.#versionExpiry, Date.parse(expiresAt));
  }

  #renewVersion(): void {
    this.#version = ulid();
    this.#versionExpiry = Infinity;
  }

  #changeCollection(collection: string, next: Subjects | undefined): void {
    this.#journal.push({ collection, previous: this.#collections.get(collection), next });
    put(this.#collections, collection, next);
  }
}

/** The records of a snapshot; all of them are in the journal. */
export function recordsOf(snapshot: GallerySnapshot, now: () => number): Records {
  const records = new Records(now);
  for (const { collection, subjects } of snapshot.collections) {
    records.create(collection);
    for (const subject of subjects) records.set(collection, subject);
  }
  return records;
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
