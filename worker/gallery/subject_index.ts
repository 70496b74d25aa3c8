import { quantizeVector } from "../../shared/quantized_vector.ts";
import type { ImageRecord, SubjectRecord } from "./gallery.ts";
import { CHUNK, type SearchHeap } from "./search_heap.ts";

/** The first rows are looked at in small parts, so that few of them are taken before there is something to beat. */
const FIRST_PARTS = [[0, 32], [32, 128], [128, 512], [512, CHUNK]] as const;
const WHOLE = [[0, CHUNK]] as const;

/** What rounding to float32 may add to the error of a dot product of unit vectors. */
const FLOAT_ERROR = 1e-6;

/**
 * Finds, among many subjects, the few that can be the nearest to an embedding. It looks at every image, at 8 bits a component,
 * and leaves out none that could be among the nearest by the embeddings as they are.
 *
 * For an embedding x and a query q, with what is left of them at fewer bits written x' and q', Cauchy and Schwarz say that
 * |q.x - q'.x'| <= |q| |x - x'| + |q - q'| |x'|. So an image whose approximate product lies by more than twice that below the
 * k-th best subject's cannot be nearer than any of those k.
 */
export class SubjectIndex {
  readonly #heap: SearchHeap;
  readonly #dimensions: number;
  readonly #stride: number;
  readonly #chunks: number[] = [];
  readonly #freeRows: number[] = [];
  /** Whose each row is. */
  readonly #subjects: (SubjectRecord | undefined)[] = [];
  /** Of each subject's images, in their order. */
  readonly #rows = new Map<string, number[]>();
  /** The largest of any row that was ever here: |x - x'|, and how far |x|^2 is from 1. */
  #residual = 0;
  #normError = 0;

  constructor(heap: SearchHeap, dimensions: number) {
    this.#heap = heap;
    this.#dimensions = dimensions;
    this.#stride = Math.ceil(dimensions / 16) * 16;
  }

  /** Brings a subject up to date. What was removed of it is overwritten. */
  replace(previous: SubjectRecord | undefined, next: SubjectRecord | undefined): void {
    const subject = (next ?? previous)!.subject;
    const before = new Map(this.#rows.get(subject)?.map((row, i) => [previous?.images[i], row]));
    const after = next?.images.map((image) => {
      const row = before.get(image) ?? this.#add(image);
      before.delete(image);
      this.#subjects[row] = next;
      return row;
    }) ?? [];
    for (const row of before.values()) this.#remove(row);
    if (after.length === 0) this.#rows.delete(subject);
    else this.#rows.set(subject, after);
  }

  /**
   * The subjects that can be among the nearest.
   *
   * @param query `[dim] float32`, unit length
   * @param k how many are asked for
   * @param isCompared which subjects count
   */
  candidates(query: Float32Array, k: number, isCompared: (record: SubjectRecord) => boolean): Set<SubjectRecord> {
    const prepared = this.#heap.prepare(query, this.#stride);
    const slack = 2 * this.#error(prepared);
    const best = new Best(k), compared = new Map<SubjectRecord, boolean>();
    const near: SubjectRecord[] = [], scores: number[] = [];
    for (const [chunk, address] of this.#chunks.entries()) {
      for (const part of chunk === 0 ? FIRST_PARTS : WHOLE) {
        const hits = this.#heap.scan(address, this.#stride, part, prepared, best.least - slack);
        for (let i = 0; i < hits.length; i++) {
          const record = this.#subjects[chunk * CHUNK + part[0] + hits.rows[i]]!;
          let counts = compared.get(record);
          if (counts === undefined) compared.set(record, counts = isCompared(record));
          if (!counts || hits.scores[i] < best.least - slack) continue;
          near.push(record);
          scores.push(hits.scores[i]);
          best.offer(record, hits.scores[i]);
        }
      }
    }
    return new Set(near.filter((_, i) => scores[i] >= best.least - slack));
  }

  /** Gives all memory back, overwritten. Nothing is called afterwards. */
  dispose(): void {
    for (const address of this.#chunks) this.#heap.give(address, this.#stride);
  }

  #error({ norm, residual }: { norm: number; residual: number }): number {
    const rounded = Math.sqrt(1 + this.#normError) + this.#residual;
    return norm * this.#residual + residual * rounded + this.#normError / 2 + FLOAT_ERROR;
  }

  #add({ embedding }: ImageRecord): number {
    const row = this.#freeRow(), address = this.#chunks[Math.floor(row / CHUNK)];
    const quantized = this.#heap.row(address, this.#stride, row % CHUNK, this.#dimensions);
    const scale = quantizeVector(embedding, quantized);
    let squares = 0, lost = 0;
    for (let i = 0; i < embedding.length; i++) {
      const left = embedding[i] - scale * quantized[i];
      squares += embedding[i] * embedding[i];
      lost += left * left;
    }
    this.#residual = Math.max(this.#residual, Math.sqrt(lost));
    this.#normError = Math.max(this.#normError, Math.abs(squares - 1));
    this.#heap.setScale(address, this.#stride, row % CHUNK, scale);
    return row;
  }

  #freeRow(): number {
    const free = this.#freeRows.pop();
    if (free !== undefined) return free;
    if (this.#subjects.length === this.#chunks.length * CHUNK) this.#chunks.push(this.#heap.take(this.#stride));
    return this.#subjects.push(undefined) - 1;
  }

  #remove(row: number): void {
    const address = this.#chunks[Math.floor(row / CHUNK)];
    this.#heap.row(address, this.#stride, row % CHUNK, this.#dimensions).fill(0);
    this.#heap.setScale(address, this.#stride, row % CHUNK, NaN);
    this.#subjects[row] = undefined;
    this.#freeRows.push(row);
  }
}

/** The best scores of k subjects. */
class Best {
  readonly #k: number;
  readonly #records: SubjectRecord[] = [];
  readonly #scores: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  /** The k-th best subject's score; minus infinity while there are fewer. */
  get least(): number {
    return this.#scores.length < this.#k ? -Infinity : this.#scores[this.#k - 1];
  }

  offer(record: SubjectRecord, score: number): void {
    if (score <= this.least) return;
    const known = this.#records.indexOf(record);
    if (known >= 0 && this.#scores[known] >= score) return;
    if (known >= 0) this.#removeAt(known);
    else if (this.#records.length === this.#k) this.#removeAt(this.#k - 1);
    let place = this.#scores.length;
    while (place > 0 && this.#scores[place - 1] < score) place--;
    this.#records.splice(place, 0, record);
    this.#scores.splice(place, 0, score);
  }

  #removeAt(place: number): void {
    this.#records.splice(place, 1);
    this.#scores.splice(place, 1);
  }
}
