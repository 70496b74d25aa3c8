import { Column, Slots } from "./columns.ts";
import { compareNames } from "./compare_names.ts";
import { contains } from "./filter.ts";
import type { SearchOptions, SearchResult, SubjectRecord } from "./gallery.ts";
import { ImageRows, isWrittenAs } from "./image_rows.ts";
import { NameTable } from "./name_table.ts";
import { Nearest } from "./nearest.ts";
import type { SearchHeap } from "./search_heap.ts";
import { readUlid, writeUlid } from "./ulid_bytes.ts";

/** Where a filter leaves fewer than this share of the subjects, their images are compared one by one. */
const FEW = 1 / 32;
/** Of subjects that have none. */
const NO_METADATA: SubjectRecord["metadata"] = Object.freeze({});

/** How many subjects, with at least one image, and images there are. */
interface Counts {
  subjects: number;
  withImages: number;
  images: number;
}

/**
 * The subjects of a collection, those that have expired too, and the exact search among them. They are held by column, a number
 * for each, and made into records when they are read.
 */
export class Subjects {
  readonly #names = new NameTable();
  readonly #revisions = new Column((length) => new Uint8Array(length), 16);
  /** Milliseconds since 1970, infinite for those who stay. */
  readonly #expiries = new Column((length) => new Float64Array(length));
  /** The number of the first image, and one more; 0 if there is none. */
  readonly #firstImages = new Column((length) => new Uint32Array(length));
  readonly #slots = new Slots([this.#revisions, this.#expiries, this.#firstImages]);
  /** What the columns do not hold: what few subjects have, or is written in another way. */
  readonly #beside = new Map<number, Partial<SubjectRecord>>();
  #images: ImageRows | undefined;
  #withImages = 0;
  /** How many expire at some time, and what has expired at any time from one to another. */
  #expiring = 0;
  #expired: Counts & { from: number; until: number } | undefined;

  /** Their names, in no order. */
  names(): string[] {
    return Array.from(this.#names.entries(), ([subject]) => subject);
  }

  /** Whether a subject is there and has not expired by `now`, milliseconds since 1970. */
  isLiving(subject: string, now: number): boolean {
    const number = this.#names.number(subject);
    return number !== undefined && this.#expiries.get(number) > now;
  }

  /** A subject, expired or not. */
  get(subject: string): SubjectRecord | undefined {
    const number = this.#names.number(subject);
    return number === undefined ? undefined : this.#read(number, subject);
  }

  /** Adds or replaces a subject. Of its images those stay that it had before. */
  set({ subject, images, metadata, revision, expiresAt }: SubjectRecord): void {
    const number = this.#names.number(subject) ?? this.#add(subject);
    const expiry = expiresAt === null ? Infinity : Date.parse(expiresAt), beside: Partial<SubjectRecord> = {};
    this.#noteExpiry(this.#expiries.get(number), expiry);
    this.#expiries.set(number, expiry);
    if (!writeUlid(revision, this.#revisions.at(number))) beside.revision = revision;
    if (expiresAt !== null && !isWrittenAs(expiry, expiresAt)) beside.expiresAt = expiresAt;
    if (Object.keys(metadata).length > 0) beside.metadata = metadata;
    if (Object.keys(beside).length > 0) this.#beside.set(number, beside);
    else this.#beside.delete(number);
    this.#setImages(number, images);
  }

  /** Removes a subject, if it is there. Nothing of it is left. */
  delete(subject: string): void {
    const number = this.#names.number(subject);
    if (number === undefined) return;
    this.#setImages(number, []);
    this.#noteExpiry(this.#expiries.get(number), Infinity);
    this.#beside.delete(number);
    this.#slots.give(number);
    this.#names.delete(subject);
  }

  /** Those that have not expired by `now`, milliseconds since 1970. */
  *living(now: number): Generator<SubjectRecord> {
    for (const [subject, number] of this.#names.entries()) {
      if (this.#expiries.get(number) > now) yield this.#read(number, subject);
    }
  }

  /** How many have not expired. */
  count(now: number): Counts {
    const expired = this.#expiredBy(now);
    return {
      subjects: this.#names.size - expired.subjects,
      withImages: this.#withImages - expired.withImages,
      images: (this.#images?.count ?? 0) - expired.images,
    };
  }

  /** How many have expired. */
  countExpired(now: number): number {
    return this.#expiredBy(now).subjects;
  }

  /** The first subjects after a name, or of all, in the order of `compareNames`, that have not expired. */
  page(after: string | null, limit: number, now: number): SubjectRecord[] {
    const page: string[] = [];
    for (const [subject, number] of this.#names.entries()) {
      if (page.length === limit && compareNames(subject, page[limit - 1]) > 0) continue;
      if (this.#expiries.get(number) <= now || (after !== null && compareNames(subject, after) <= 0)) continue;
      page.splice(placeOf(subject, page), 0, subject);
      if (page.length > limit) page.pop();
    }
    return page.map((subject) => this.get(subject)!);
  }

  /**
   * The nearest subjects: what a comparison with every image in double precision finds.
   *
   * @param embedding `[dim] float32`
   * @param now milliseconds since 1970: what has expired by then is not there
   */
  search(embedding: Float32Array, options: SearchOptions, heap: SearchHeap, now: number): SearchResult {
    const images = this.#images;
    if (images === undefined) return { subjects: 0, nearest: [] };
    const { k, filter, exclude } = options;
    const nearest = new Nearest(k, (a, b) => compareNames(this.#names.name(a), this.#names.name(b)));
    const offer = (subject: number, row: number) => {
      nearest.offer(subject, images.distance(row, embedding));
      return nearest.limit;
    };
    const excluded = exclude === undefined ? undefined : this.#names.number(exclude);
    const counts = (subject: number) => subject !== excluded && this.#expiries.get(subject) > now;
    let subjects: number;
    if (filter === undefined) {
      images.scan(embedding, heap, (row) => {
        const subject = images.subject(row);
        return counts(subject) ? offer(subject, row) : nearest.limit;
      });
      subjects = this.count(now).withImages;
      if (excluded !== undefined && this.#expiries.get(excluded) > now && this.#firstImages.get(excluded) > 0) {
        subjects--;
      }
    } else {
      const contained = this.#containing(filter, counts);
      subjects = contained.size;
      if (subjects > this.#names.size * FEW) {
        images.scan(embedding, heap, (row) => {
          const subject = images.subject(row);
          return contained.has(subject) ? offer(subject, row) : nearest.limit;
        });
      } else {
        for (const subject of contained) for (const row of this.#imagesOf(subject)) offer(subject, row);
      }
    }
    return { subjects, nearest: nearest.subjects.map((subject) => this.#neighbour(subject, embedding, images)) };
  }

  /** Gives the memory of the search back. Nothing is called afterwards. */
  dispose(): void {
    this.#images?.dispose();
  }

  #add(subject: string): number {
    const number = this.#slots.take();
    this.#names.add(subject, number);
    this.#expiries.set(number, Infinity);
    return number;
  }

  #read(number: number, subject: string): SubjectRecord {
    const expiry = this.#expiries.get(number), beside = this.#beside.get(number);
    return {
      subject,
      metadata: NO_METADATA,
      expiresAt: expiry === Infinity || beside?.expiresAt !== undefined ? null : new Date(expiry).toISOString(),
      revision: beside?.revision ?? readUlid(this.#revisions.at(number)),
      ...beside,
      images: Array.from(this.#imagesOf(number), (row) => this.#images!.read(row)),
    };
  }

  #imagesOf(number: number): Iterable<number> {
    return this.#images?.list(this.#firstImages.get(number)) ?? [];
  }

  #setImages(number: number, images: SubjectRecord["images"]): void {
    if (images.length > 0) this.#images ??= new ImageRows(images[0].embedding.length);
    const rows = this.#images;
    if (rows === undefined) return;
    const before = new Map(Array.from(this.#imagesOf(number), (row) => [rows.id(row), row]));
    this.#withImages += Math.sign(images.length) - Math.sign(before.size);
    const after = images.map((image) => {
      const row = before.get(image.image);
      if (row === undefined || !rows.holds(row, image)) return rows.add(image, number);
      before.delete(image.image);
      return row;
    });
    for (const row of before.values()) rows.remove(row);
    this.#firstImages.set(number, rows.link(after));
  }

  #noteExpiry(previous: number, next: number): void {
    this.#expiring += Number(next !== Infinity) - Number(previous !== Infinity);
    if (next !== Infinity || previous !== Infinity) this.#expired = undefined;
  }

  #expiredBy(now: number): Counts {
    if (this.#expiring === 0) return { subjects: 0, withImages: 0, images: 0 };
    if (this.#expired === undefined || now < this.#expired.from || now >= this.#expired.until) {
      const expired = { subjects: 0, withImages: 0, images: 0, from: -Infinity, until: Infinity };
      for (const [, number] of this.#names.entries()) {
        const expiry = this.#expiries.get(number);
        if (expiry > now) expired.until = Math.min(expired.until, expiry);
        else {
          const images = Array.from(this.#imagesOf(number)).length;
          expired.subjects++;
          expired.withImages += Math.sign(images);
          expired.images += images;
          expired.from = Math.max(expired.from, expiry);
        }
      }
      this.#expired = expired;
    }
    return this.#expired;
  }

  #containing(filter: Record<string, unknown>, counts: (subject: number) => boolean): Set<number> {
    const containing = new Set<number>(), isInNothing = contains(NO_METADATA, filter);
    for (const [, number] of this.#names.entries()) {
      const metadata = this.#beside.get(number)?.metadata;
      const isContained = metadata === undefined ? isInNothing : contains(metadata, filter);
      if (isContained && this.#firstImages.get(number) > 0 && counts(number)) containing.add(number);
    }
    return containing;
  }

  #neighbour(number: number, embedding: Float32Array, images: ImageRows): SearchResult["nearest"][number] {
    let distance = Infinity, nearest = 0;
    for (const row of this.#imagesOf(number)) {
      const at = images.distance(row, embedding);
      if (at < distance) [distance, nearest] = [at, row];
    }
    return {
      subject: this.#names.name(number),
      image: images.id(nearest),
      distance,
      metadata: this.#beside.get(number)?.metadata ?? NO_METADATA,
    };
  }
}

/** Where a name stands among others that are in the order of `compareNames`, by bisection. */
function placeOf(name: string, names: readonly string[]): number {
  let low = 0, high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNames(name, names[middle]) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
