import { contains } from "./filter.ts";
import type { SearchOptions, SearchResult, SubjectRecord } from "./gallery.ts";
import { nearestSubjects } from "./search.ts";
import type { SearchHeap } from "./search_heap.ts";
import { SubjectIndex } from "./subject_index.ts";

/** Up to so many images are compared one by one, which is quicker then and keeps small collections small. */
const FEW_IMAGES = 256;

/** The subjects of a collection by name, those that have expired too, and the exact search among them. */
export class Subjects extends Map<string, SubjectRecord> {
  readonly #expiring = new Set<string>();
  #images = 0;
  #withImages = 0;
  #index: SubjectIndex | undefined;

  override set(subject: string, record: SubjectRecord): this {
    this.#note(this.get(subject), record);
    return super.set(subject, record);
  }

  override delete(subject: string): boolean {
    const previous = this.get(subject);
    if (previous !== undefined) this.#note(previous, undefined);
    return super.delete(subject);
  }

  /**
   * The nearest subjects: what a comparison with every image in double precision finds.
   *
   * @param embedding `[dim] float32`, unit length
   * @param now milliseconds since 1970: what has expired by then is not there
   */
  search(embedding: Float32Array, options: SearchOptions, heap: SearchHeap, now: number): SearchResult {
    const { k, filter, exclude } = options;
    const isCompared = (record: SubjectRecord) =>
      record.images.length > 0 && record.subject !== exclude && isLiving(record, now) &&
      (filter === undefined || contains(record.metadata, filter));
    if (this.#images <= FEW_IMAGES || filter !== undefined) {
      const compared = [...this.values()].filter(isCompared);
      const images = compared.reduce((sum, { images }) => sum + images.length, 0);
      const among = images <= FEW_IMAGES ? compared : this.#candidates(embedding, k, isCompared, heap);
      return { subjects: compared.length, nearest: nearestSubjects(among, embedding, k) };
    }
    const excluded = exclude === undefined ? undefined : this.get(exclude);
    const subjects = this.#withImages - this.#expired(now) - (excluded && isIn(excluded, now) ? 1 : 0);
    return { subjects, nearest: nearestSubjects(this.#candidates(embedding, k, isCompared, heap), embedding, k) };
  }

  /** Gives the memory of the search back. Nothing is called afterwards. */
  dispose(): void {
    this.#index?.dispose();
    this.#index = undefined;
  }

  #candidates(
    embedding: Float32Array,
    k: number,
    isCompared: (record: SubjectRecord) => boolean,
    heap: SearchHeap,
  ): Iterable<SubjectRecord> {
    if (this.#index === undefined) {
      this.#index = new SubjectIndex(heap, embedding.length);
      for (const record of this.values()) this.#index.replace(undefined, record);
    }
    return this.#index.candidates(embedding, k, isCompared);
  }

  #expired(now: number): number {
    let count = 0;
    for (const subject of this.#expiring) {
      const record = this.get(subject)!;
      if (record.images.length > 0 && !isLiving(record, now)) count++;
    }
    return count;
  }

  #note(previous: SubjectRecord | undefined, next: SubjectRecord | undefined): void {
    this.#images += (next?.images.length ?? 0) - (previous?.images.length ?? 0);
    this.#withImages += Number((next?.images.length ?? 0) > 0) - Number((previous?.images.length ?? 0) > 0);
    if (typeof previous?.expiresAt === "string") this.#expiring.delete(previous.subject);
    if (typeof next?.expiresAt === "string") this.#expiring.add(next.subject);
    this.#index?.replace(previous, next);
  }
}

/** Whether a subject has not expired by `now`, milliseconds since 1970. */
export function isLiving(record: SubjectRecord, now: number): boolean {
  return record.expiresAt === null || Date.parse(record.expiresAt) > now;
}

function isIn(record: SubjectRecord, now: number): boolean {
  return record.images.length > 0 && isLiving(record, now);
}
