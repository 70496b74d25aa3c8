/** Items of a chunk, once a column has as many. */
const CHUNK = 1024;
/** Items of the first chunk at first. */
const FEW = 16;

type Numbers =
  | Uint8Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/**
 * Items of some numbers each, in chunks: it grows without moving any but those of the first chunk, which starts small. What
 * was never set is zero.
 */
export class Column<T extends Numbers> {
  readonly #make: (length: number) => T;
  readonly #width: number;
  readonly #chunks: T[] = [];

  /**
   * @param make an array of zeros, such as `(length) => new Float32Array(length)`
   * @param width numbers of an item
   */
  constructor(make: (length: number) => T, width = 1) {
    this.#make = make;
    this.#width = width;
  }

  /** The numbers of an item: a view, for as long as the column does not grow. */
  at(index: number): T {
    const start = index % CHUNK * this.#width;
    return this.#chunks[Math.floor(index / CHUNK)].subarray(start, start + this.#width) as T;
  }

  /** The first number of an item. */
  get(index: number): number {
    return this.#chunks[Math.floor(index / CHUNK)][index % CHUNK * this.#width];
  }

  /** Sets the first number of an item. */
  set(index: number, value: number): void {
    this.#chunks[Math.floor(index / CHUNK)][index % CHUNK * this.#width] = value;
  }

  /** Makes room for one more item behind `length`. */
  grow(length: number): void {
    const chunk = Math.floor(length / CHUNK), last = this.#chunks[chunk];
    if (last === undefined) this.#chunks.push(this.#make((length === 0 ? FEW : CHUNK) * this.#width));
    else if (length % CHUNK * this.#width === last.length) {
      const larger = this.#make(2 * last.length);
      larger.set(last);
      // What is deleted later must not be left in it.
      last.fill(0);
      this.#chunks[chunk] = larger;
    }
  }
}

/** Numbers the items of columns from 0 on; what was freed is taken again first. */
export class Slots {
  readonly #columns: readonly Column<Numbers>[];
  readonly #free = new Set<number>();
  #length = 0;

  constructor(columns: readonly Column<Numbers>[]) {
    this.#columns = columns;
  }

  /** A number whose items are zero. */
  take(): number {
    for (const free of this.#free) {
      this.#free.delete(free);
      return free;
    }
    for (const column of this.#columns) column.grow(this.#length);
    return this.#length++;
  }

  /** Overwrites the items with zeros. */
  give(slot: number): void {
    for (const column of this.#columns) column.at(slot).fill(0);
    this.#free.add(slot);
  }

  /** The numbers that are taken, ascending. */
  *taken(): Generator<number> {
    for (let slot = 0; slot < this.#length; slot++) if (!this.#free.has(slot)) yield slot;
  }
}
