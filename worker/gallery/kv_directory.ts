import type { KeyRing } from "./encryption.ts";
import type { CollectionValue, Place } from "./kv_layout.ts";

/** Where the subjects that are in memory are in Deno KV. */
export class Directory {
  readonly #keys: KeyRing | undefined;
  #collections: ReadonlyMap<string, CollectionValue> = new Map();
  readonly #subjects = new Map<string, { generation: string; subject: string }>();
  readonly #ids = new Map<string, string>();

  /** @param keys those of the collections, if the gallery is encrypted */
  constructor(keys: KeyRing | undefined) {
    this.#keys = keys;
  }

  /** The collections by name. */
  get collections(): ReadonlyMap<string, CollectionValue> {
    return this.#collections;
  }

  /** Takes over the collections that there are now, and forgets the subjects of those that are gone. */
  setCollections(collections: ReadonlyMap<string, CollectionValue>): void {
    this.#collections = collections;
    const generations = new Set([...collections.values()].map(({ generation }) => generation));
    for (const [id, { generation }] of this.#subjects) if (!generations.has(generation)) this.remove(id);
  }

  /** The ids of all subjects. */
  ids(): string[] {
    return [...this.#subjects.keys()];
  }

  /** @returns undefined if there is no such subject */
  idOf(generation: string, subject: string): string | undefined {
    return this.#ids.get(keyOf(generation, subject));
  }

  /** @returns undefined if it is not known */
  subjectAt(id: string): { generation: string; subject: string } | undefined {
    return this.#subjects.get(id);
  }

  add(id: string, generation: string, subject: string): void {
    this.#subjects.set(id, { generation, subject });
    this.#ids.set(keyOf(generation, subject), id);
  }

  remove(id: string): void {
    const found = this.#subjects.get(id);
    if (found === undefined) return;
    this.#subjects.delete(id);
    const key = keyOf(found.generation, found.subject);
    if (this.#ids.get(key) === id) this.#ids.delete(key);
  }

  /** The place of a subject of one of these collections. */
  placeOf(collection: string, { generation, key }: CollectionValue, id: string): Place {
    return { collection, generation, id, sealer: key && this.#keys?.sealerOf(key, collection) };
  }

  /** The value of a new collection. */
  newCollection(collection: string, generation: string): CollectionValue {
    return { generation, ...this.#keys && { key: this.#keys.make(collection) } };
  }
}

function keyOf(generation: string, subject: string): string {
  return `${generation} ${subject}`;
}
