import { ulid } from "ulid";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { compareNames } from "./compare_names.ts";
import {
  type CollectionSummary,
  DEFAULT_COLLECTION,
  type SearchOptions,
  type SearchResult,
  type SubjectPage,
  type SubjectRecord,
  UnknownError,
} from "./gallery.ts";
import type { SearchHeap } from "./search_heap.ts";
import { Subjects } from "./subjects.ts";

/** One step of a change: a subject, or without one a collection, as it was and as it is; undefined if it is not there. */
export type Step =
  | { collection: string; subject: string; previous: SubjectRecord | undefined; next: SubjectRecord | undefined }
  | { collection: string; subject?: never; previous: Subjects | undefined; next: Subjects | undefined };

/**
 * The records of a gallery in memory, with a journal of what was changed since it was last forgotten, which can be undone
 * or written down. Who reads a record keeps what was read.
 */
export class Records {
  readonly #collections = new Map<string, Subjects>([[DEFAULT_COLLECTION, new Subjects()]]);
  readonly #journal: Step[] = [];
  readonly #now: () => number;
  #isFinal = false;
  readonly #id = ulid();
  #changes = 0;

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

  /** How many there are that have not expired. @throws {UnknownError} */
  summary(collection: string): CollectionSummary {
    const { subjects, images } = this.#subjects(collection).count(this.#now());
    return { collection, subjects, images };
  }

  /** The subjects that have not expired. @throws {UnknownError} */
  living(collection: string): Iterable<SubjectRecord> {
    return this.#subjects(collection).living(this.#now());
  }

  /** Some of the subjects that have not expired, by name. @throws {UnknownError} */
  page(collection: string, after: string | null, limit: number): SubjectPage {
    const page = this.#subjects(collection).page(after, limit + 1, this.#now());
    return { subjects: page.slice(0, limit), next: page.length > limit ? page[limit - 1].subject : null };
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
    const subjects = this.#collections.get(collection);
    return subjects?.isLiving(subject, this.#now()) ? subjects.get(subject) : undefined;
  }

  /** Adds or replaces a subject, and makes its collection if it is new. */
  set(collection: string, record: SubjectRecord): void {
    this.create(collection);
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

  /** Removes what has expired, or so many of it. */
  purge(most = Infinity): void {
    const now = this.#now();
    for (const [collection, subjects] of this.#collections) {
      if (subjects.countExpired(now) === 0) continue;
      for (const subject of subjects.names()) {
        if (!subjects.isLiving(subject, now) && most-- > 0) this.delete(collection, subject);
      }
    }
  }

  /** The names of all subjects of a collection, the expired ones too. @throws {UnknownError} */
  subjects(collection: string): string[] {
    return this.#subjects(collection).names();
  }

  /** Another string after whatever was made final, undone or has expired. */
  get version(): string {
    const now = this.#now();
    let expired = 0;
    for (const subjects of this.#collections.values()) expired += subjects.countExpired(now);
    return `${this.#id}-${this.#changes}-${expired}`;
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
    if (this.#journal.length > mark) this.#changes++;
    while (this.#journal.length > mark) {
      const step = this.#journal.pop()!;
      if (step.subject === undefined) {
        putCollection(this.#collections, step.collection, step.previous);
        step.next?.dispose();
      } else putSubject(this.#subjects(step.collection), step.subject, step.previous);
    }
  }

  /** Makes what was changed final. */
  forget(): void {
    if (this.#journal.length > 0) this.#changes++;
    for (const step of this.#journal) if (step.subject === undefined) step.previous?.dispose();
    this.#journal.length = 0;
  }

  /** Makes changes that are final at once: none of them is in the journal, which would hold all that is read. */
  load(change: () => void): void {
    this.#isFinal = true;
    try {
      change();
    } finally {
      this.#isFinal = false;
    }
  }

  #subjects(collection: string): Subjects {
    const subjects = this.#collections.get(collection);
    if (subjects === undefined) throw new UnknownError("collection", collection);
    return subjects;
  }

  #change(collection: string, subject: string, next: SubjectRecord | undefined): void {
    const subjects = this.#subjects(collection);
    if (this.#isFinal) this.#changes++;
    else this.#journal.push({ collection, subject, previous: subjects.get(subject), next });
    putSubject(subjects, subject, next);
  }

  #changeCollection(collection: string, next: Subjects | undefined): void {
    const previous = this.#collections.get(collection);
    putCollection(this.#collections, collection, next);
    if (this.#isFinal) {
      this.#changes++;
      previous?.dispose();
    } else this.#journal.push({ collection, previous, next });
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

function putSubject(subjects: Subjects, subject: string, record: SubjectRecord | undefined): void {
  if (record === undefined) subjects.delete(subject);
  else subjects.set(record);
}

function putCollection(collections: Map<string, Subjects>, collection: string, subjects: Subjects | undefined): void {
  if (subjects === undefined) collections.delete(collection);
  else collections.set(collection, subjects);
}
