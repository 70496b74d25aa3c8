/** The table is doubled beyond this share of its places. */
const FULLEST = 0.75;

/**
 * Names and a number for each, both ways: a hash table with linear probing (Knuth, The Art of Computer Programming, section
 * 6.4, algorithm L), which takes a third of a `Map`'s memory.
 */
export class NameTable {
  /** By number. */
  readonly #names: (string | undefined)[] = [];
  /** A number and one more, where its name's hash says or in the next place that was free; 0 is free. */
  #places = new Uint32Array(16);
  #size = 0;
  /** So that nobody can find names that collide. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of a name. */
  number(name: string): number | undefined {
    const found = this.#places[this.#placeOf(name)];
    return found === 0 ? undefined : found - 1;
  }

  /** The name of a number, which has one. */
  name(number: number): string {
    return this.#names[number]!;
  }

  /** All names with their numbers, ascending in these. */
  *entries(): Generator<[string, number]> {
    for (let number = 0; number < this.#names.length; number++) {
      const name = this.#names[number];
      if (name !== undefined) yield [name, number];
    }
  }

  /** Adds a name, which is not there yet. */
  add(name: string, number: number): void {
    if (++this.#size > this.#places.length * FULLEST) this.#double();
    this.#names[number] = name;
    this.#places[this.#placeOf(name)] = number + 1;
  }

  /** Removes a name, which is there. */
  delete(name: string): void {
    let free = this.#placeOf(name);
    this.#names[this.#places[free] - 1] = undefined;
    this.#size--;
    const mask = this.#places.length - 1;
    // What stands behind moves up, unless it would stand before its hash's place.
    for (let at = free + 1 & mask; this.#places[at] !== 0; at = at + 1 & mask) {
      const wanted = this.#hash(this.name(this.#places[at] - 1)) & mask;
      if ((at - wanted & mask) < (at - free & mask)) continue;
      this.#places[free] = this.#places[at];
      free = at;
    }
    this.#places[free] = 0;
  }

  #double(): void {
    this.#places = new Uint32Array(2 * this.#places.length);
    for (const [name, number] of this.entries()) this.#places[this.#placeOf(name)] = number + 1;
  }

  /** Where a name stands, or would. */
  #placeOf(name: string): number {
    const mask = this.#places.length - 1;
    let place = this.#hash(name) & mask;
    while (this.#places[place] !== 0 && this.#names[this.#places[place] - 1] !== name) place = place + 1 & mask;
    return place;
  }

  /** FNV-1a over the code units, with its bits mixed. */
  #hash(name: string): number {
    let hash = this.#seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
    return hash ^ hash >>> 13;
  }
}
