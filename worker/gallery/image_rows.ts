import { distance } from "../../shared/distance.ts";
import { Column, Slots } from "./columns.ts";
import type { ImageRecord } from "./gallery.ts";
import { isSameEmbedding } from "./net_changes.ts";
import { QuantizedRows } from "./quantized_rows.ts";
import type { SearchHeap } from "./search_heap.ts";
import { readUlid, writeUlid } from "./ulid_bytes.ts";

/** Up to so many images are compared one by one, which is quicker then and keeps small collections small. */
const FEW_IMAGES = 256;

/** The images of a collection by column, a number for each. Those of a subject are a list: each tells the next. */
export class ImageRows {
  readonly #ids = new Column((length) => new Uint8Array(length), 16);
  readonly #createdAt = new Column((length) => new Float64Array(length));
  readonly #subjects = new Column((length) => new Uint32Array(length));
  /** The number of the subject's next image, and one more; 0 behind the last. */
  readonly #next = new Column((length) => new Uint32Array(length));
  readonly #embeddings: Column<Float32Array<ArrayBuffer>>;
  readonly #dimensions: number;
  readonly #slots: Slots;
  /** What the columns do not hold: what few images have, or is written in another way. */
  readonly #beside = new Map<number, Partial<ImageRecord>>();
  #count = 0;
  #quantized: QuantizedRows | undefined;

  constructor(dimensions: number) {
    this.#dimensions = dimensions;
    this.#embeddings = new Column((length) => new Float32Array(length), dimensions);
    this.#slots = new Slots([this.#ids, this.#createdAt, this.#subjects, this.#next, this.#embeddings]);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds an image, at the end of a list.
   *
   * @returns its number
   * @throws {RangeError} if its embedding is of another length than the others
   */
  add({ image, createdAt, embedding, ...beside }: ImageRecord, subject: number): number {
    if (embedding.length !== this.#dimensions) {
      throw new RangeError(`an embedding has not ${this.#dimensions} dimensions`);
    }
    const row = this.#slots.take(), time = Date.parse(createdAt);
    this.#count++;
    this.#subjects.set(row, subject);
    this.#embeddings.at(row).set(embedding);
    this.#quantized?.set(row, embedding);
    this.#createdAt.set(row, time);
    const others: Partial<ImageRecord> = beside;
    if (!writeUlid(image, this.#ids.at(row))) others.image = image;
    if (!isWrittenAs(time, createdAt)) others.createdAt = createdAt;
    if (Object.keys(others).length > 0) this.#beside.set(row, others);
    return row;
  }

  /** Whether an image of the same id is this one, and not an embedding anew of what it shows. */
  holds(row: number, { embedding }: ImageRecord): boolean {
    return isSameEmbedding(this.#embeddings.at(row), embedding);
  }

  /** Removes an image. Nothing of it is left. */
  remove(row: number): void {
    this.#count--;
    this.#slots.give(row);
    this.#beside.delete(row);
    this.#quantized?.clear(row);
  }

  /** An image as it was added: a copy. */
  read(row: number): ImageRecord {
    const beside = this.#beside.get(row);
    return {
      image: this.id(row),
      createdAt: beside?.createdAt ?? new Date(this.#createdAt.get(row)).toISOString(),
      embedding: this.#embeddings.at(row).slice(),
      ...beside,
    };
  }

  /** The image's id. */
  id(row: number): string {
    return this.#beside.get(row)?.image ?? readUlid(this.#ids.at(row));
  }

  /** The number of the subject that an image is of. */
  subject(row: number): number {
    return this.#subjects.get(row);
  }

  /** The numbers of a list of images. @param first one more than the number of the first, or 0 */
  *list(first: number): Generator<number> {
    for (let row = first; row > 0; row = this.#next.get(row - 1)) yield row - 1;
  }

  /** Makes images a list in this order. @returns one more than the number of the first, or 0 */
  link(rows: readonly number[]): number {
    rows.forEach((row, i) => this.#next.set(row, i + 1 < rows.length ? rows[i + 1] + 1 : 0));
    return rows.length > 0 ? rows[0] + 1 : 0;
  }

  /** The Euclidean distance of an image to an embedding `[dim] float32`, in double precision. */
  distance(row: number, embedding: Float32Array): number {
    return distance(this.#embeddings.at(row), embedding);
  }

  /**
   * Visits all images that can lie within a distance.
   *
   * @param query `[dim] float32`
   * @param visit an image; returns the distance that is meant from then on, at first infinite
   */
  scan(query: Float32Array, heap: SearchHeap, visit: (row: number) => number): void {
    if (this.#count > FEW_IMAGES) this.#quantize(heap).scan(query, visit);
    else for (const row of this.#slots.taken()) visit(row);
  }

  /** Gives the memory of the search back. Nothing is called afterwards. */
  dispose(): void {
    this.#quantized?.dispose();
    this.#quantized = undefined;
  }

  #quantize(heap: SearchHeap): QuantizedRows {
    if (this.#quantized === undefined) {
      this.#quantized = new QuantizedRows(heap, this.#dimensions);
      for (const row of this.#slots.taken()) this.#quantized.set(row, this.#embeddings.at(row));
    }
    return this.#quantized;
  }
}

/** Whether a time, milliseconds since 1970, is written in this way. */
export function isWrittenAs(time: number, text: string): boolean {
  return Number.isFinite(time) && new Date(time).toISOString() === text;
}
