import { CHUNK, chunkBytes, type Hits, type SearchHeap } from "./search_heap.ts";

/** What rounding may add to a product of vectors, relative to it. */
const ROUNDING = 2e-6;

/**
 * The rows of many embeddings at 8 bits a component, which say of most of them that they lie too far away to look at.
 *
 * For an embedding x and a query q, with what is left of them at fewer bits written x' and q', Cauchy and Schwarz say that
 * `q.x <= q'.x' + |q| |x - x'| + |q - q'| |x'|`; and `|x - x'|` is at most x's scale times a number that hardly depends on x.
 */
export class QuantizedRows {
  readonly #heap: SearchHeap;
  readonly #dimensions: number;
  readonly #chunks: number[] = [];
  /** Chunks that lie one behind the other, both in memory and in number. */
  readonly #runs: { address: number; chunks: number }[] = [];
  /** Of any row that was ever here: the most of `|x - x'|` over the scale, and of `|x'|`; the least of `|x|^2`. */
  #residual = 0;
  #norm = 0;
  #squares = Infinity;

  constructor(heap: SearchHeap, dimensions: number) {
    this.#heap = heap;
    this.#dimensions = dimensions;
  }

  /** @param embedding `[dim] float32` */
  set(row: number, embedding: Float32Array): void {
    while (row >= this.#chunks.length * CHUNK) this.#addChunk();
    const { scale, norm, residual, squares } = this.#heap.write(this.#chunkOf(row), row % CHUNK, embedding);
    if (scale > 0) this.#residual = Math.max(this.#residual, residual / scale);
    this.#norm = Math.max(this.#norm, norm);
    this.#squares = Math.min(this.#squares, squares);
  }

  /** Overwrites a row, which is not found any more. */
  clear(row: number): void {
    this.#heap.clear(this.#chunkOf(row), row % CHUNK, this.#dimensions);
  }

  /**
   * Visits all rows that can lie within a distance.
   *
   * @param query `[dim] float32`
   * @param visit a row; returns the distance that is meant from then on, at first infinite
   */
  scan(query: Float32Array, visit: (row: number) => number): void {
    const { scale, residual } = this.#heap.prepare(query);
    const squares = query.reduce((sum, value) => sum + value * value, 0), length = Math.sqrt(squares);
    const slack = length * this.#residual / scale;
    // Rounding is at its worst relative to the product of the lengths.
    const lost = residual * this.#norm + ROUNDING * (1 + length) * (1 + this.#norm);
    const thresholdOf = (limit: number) => ((this.#squares + squares - limit * limit) / 2 - lost) / scale;
    let threshold = -Infinity, first = 0;
    for (const { address, chunks } of this.#runs) {
      for (let from: number | undefined = 0; from !== undefined;) {
        const { next, rows, scores }: Hits = this.#heap.scan(address, from, chunks, this.#dimensions, slack, threshold);
        for (let i = 0; i < rows.length; i++) {
          if (scores[i] >= threshold) threshold = Math.max(threshold, thresholdOf(visit(first + rows[i])));
        }
        from = next;
      }
      first += chunks * CHUNK;
    }
  }

  /** Gives all memory back, overwritten. Nothing is called afterwards. */
  dispose(): void {
    for (const address of this.#chunks) this.#heap.give(address, this.#dimensions);
  }

  #addChunk(): void {
    const address = this.#heap.take(this.#dimensions), last = this.#runs.at(-1);
    this.#chunks.push(address);
    if (last !== undefined && last.address + last.chunks * chunkBytes(this.#dimensions) === address) last.chunks++;
    else this.#runs.push({ address, chunks: 1 });
  }

  #chunkOf(row: number): number {
    return this.#chunks[Math.floor(row / CHUNK)];
  }
}
