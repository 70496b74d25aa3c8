/** The nearest of the subjects that were offered, each by its nearest image. */
export class Nearest {
  readonly #k: number;
  readonly #compare: (a: number, b: number) => number;
  readonly #found: { subject: number; distance: number }[] = [];

  /**
   * @param k how many are kept
   * @param compare the order of subjects that are as near: below 0 if the first comes first
   */
  constructor(k: number, compare: (a: number, b: number) => number) {
    this.#k = k;
    this.#compare = compare;
  }

  /** The distance beyond which nothing is kept. */
  get limit(): number {
    return this.#found.length < this.#k ? Infinity : this.#found[this.#k - 1].distance;
  }

  /** The numbers of the subjects, the nearest first. */
  get subjects(): number[] {
    return this.#found.map(({ subject }) => subject);
  }

  /** @param distance of an image of the subject */
  offer(subject: number, distance: number): void {
    if (distance > this.limit) return;
    const found = this.#found, offered = { subject, distance };
    const known = found.findIndex((other) => other.subject === subject);
    if (known >= 0) {
      if (found[known].distance <= distance) return;
      found.splice(known, 1);
    }
    let place = found.length;
    while (place > 0 && this.#isBefore(offered, found[place - 1])) place--;
    found.splice(place, 0, offered);
    if (found.length > this.#k) found.pop();
  }

  #isBefore(a: { subject: number; distance: number }, b: { subject: number; distance: number }): boolean {
    return a.distance < b.distance || (a.distance === b.distance && this.#compare(a.subject, b.subject) < 0);
  }
}
