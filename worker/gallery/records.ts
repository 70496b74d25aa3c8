import { compareNames } from "./compare_names.ts";
import { DEFAULT_COLLECTION, type SubjectRecord, UnknownError } from "./gallery.ts";

type Subjects = Map<string, SubjectRecord>;

/**
 * The records of a gallery in memory, with a journal of how to undo what was changed since it was last forgotten. Records
 * are replaced, never changed, so that whoever read one keeps what was read.
 */
export class Records {
  readonly #collections = new Map<string, Subjects>([[DEFAULT_COLLECTION, new Map()]]);
  readonly #journal: (() => void)[] = [];
  readonly #now: () => number;

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
    const subjects = this.#subjects(collection);
    this.#remember(subjects, record.subject);
    subjects.set(record.subject, record);
  }

  delete(collection: string, subject: string): void {
    const subjects = this.#subjects(collection);
    this.#remember(subjects, subject);
    subjects.delete(subject);
  }

  /** Makes a collection. @returns whether it is new */
  create(collection: string): boolean {
    if (this.has(collection)) return false;
    this.#remember(this.#collections, collection);
    this.#collections.set(collection, new Map());
    return true;
  }

  /** Removes a collection; `default` is only emptied. @throws {UnknownError} */
  drop(collection: string): void {
    this.#subjects(collection);
    this.#remember(this.#collections, collection);
    if (collection === DEFAULT_COLLECTION) this.#collections.set(collection, new Map());
    else this.#collections.delete(collection);
  }

  /** Frees the memory of what has expired. */
  purge(): void {
    const now = this.#now();
    for (const subjects of this.#collections.values()) {
      for (const record of subjects.values()) if (!isLiving(record, now)) subjects.delete(record.subject);
    }
  }

  /** How many changes can be undone: `undoTo` takes it. */
  get mark(): number {
    return this.#journal.length;
  }

  /** Undoes what was changed since the mark. */
  undoTo(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()!();
  }

  /** Makes what was changed final. */
  forget(): void {
    this.#journal.length = 0;
  }

  #subjects(collection: string): Subjects {
    const subjects = this.#collections.get(collection);
    if (subjects === undefined) throw new UnknownError("collection", collection);
    return subjects;
  }

  #remember<T>(map: Map<string, T>, key: string): void {
    const previous = map.get(key);
    this.#journal.push(() => previous === undefined ? map.delete(key) : map.set(key, previous));
  }
}

function isLiving(record: SubjectRecord, now: number): boolean {
  return record.expiresAt === null || Date.parse(record.expiresAt) > now;
}
