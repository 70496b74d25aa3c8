import type { SubjectRecord } from "./gallery.ts";
import type { Directory } from "./kv_directory.ts";
import {
  type ChangeValue,
  type CollectionValue,
  decodeImage,
  decodeSubject,
  decodeThumbnail,
  KEYS,
  type Place,
  type ReadImage,
  TOLD_CHANGES,
} from "./kv_layout.ts";
import type { Records } from "./records.ts";

/** What was read of the changes of others, and is not yet in the records. */
export interface Fetched {
  /** All collections; undefined if none came or went. */
  collections?: ReadonlyMap<string, CollectionValue>;
  /** Whether the subjects are all that there are. */
  isWhole: boolean;
  /** By id; null if it is not there any more. */
  subjects: Map<string, { collection: string; generation: string; record: SubjectRecord } | null>;
}

/**
 * Reads what was changed. What is written meanwhile may be read by half, and is read again with its own version.
 *
 * @param from the version up to which all is known, 0 for none
 * @param to the present version
 * @param fetched what was read before; is added to
 */
export async function fetchChanges(
  kv: Deno.Kv,
  { from, to, directory, dimensions }: { from: number; to: number; directory: Directory; dimensions: number },
  fetched: Fetched,
): Promise<void> {
  const changes = await changesBetween(kv, from, to);
  if (changes === null || changes.some(({ collections }) => collections)) {
    fetched.collections = await readCollections(kv);
  }
  const collections = fetched.collections ?? directory.collections;
  const placeOf = placesIn(collections, directory);
  if (changes === null) {
    fetched.isWhole = true;
    fetched.subjects = await readSubjects(kv, [], placeOf, dimensions);
    return;
  }
  const changed = new Map(changes.flatMap(({ subjects }) => subjects.map(([generation, id]) => [id, generation])));
  for (const [id, generation] of changed) {
    const read = await readSubjects(kv, [generation, id], placeOf, dimensions);
    fetched.subjects.set(id, read.get(id) ?? null);
  }
}

/** Puts what was fetched into the records and the directory; they are final at once. */
export function applyFetched(fetched: Fetched, records: Records, directory: Directory): void {
  records.load(() => apply(fetched, records, directory));
}

function apply({ collections, isWhole, subjects }: Fetched, records: Records, directory: Directory): void {
  if (collections !== undefined) {
    for (const [name, { generation }] of directory.collections) {
      if (collections.get(name)?.generation !== generation) records.drop(name);
    }
    for (const name of collections.keys()) records.create(name);
    directory.setCollections(collections);
  }
  const gone = isWhole ? directory.ids().filter((id) => !subjects.has(id)) : [];
  for (const [id, found] of subjects) if (found === null) gone.push(id);
  const names = new Map([...directory.collections].map(([name, { generation }]) => [generation, name]));
  for (const id of gone) {
    const known = directory.subjectAt(id);
    if (known === undefined) continue;
    records.delete(names.get(known.generation)!, known.subject);
    directory.remove(id);
  }
  for (const [id, found] of subjects) {
    if (found === null || names.get(found.generation) !== found.collection) continue;
    records.set(found.collection, found.record);
    directory.add(id, found.generation, found.record.subject);
  }
}

/** @returns null if they are not all told any more */
async function changesBetween(kv: Deno.Kv, from: number, to: number): Promise<ChangeValue[] | null> {
  if (to - from > TOLD_CHANGES) return null;
  const range = { start: KEYS.change(from + 1), end: KEYS.change(to + 1) };
  const changes = await Array.fromAsync(kv.list<ChangeValue>(range), ({ value }) => value);
  return changes.length === to - from ? changes : null;
}

/** All collections by name. */
export async function readCollections(kv: Deno.Kv): Promise<ReadonlyMap<string, CollectionValue>> {
  const collections = new Map<string, CollectionValue>();
  for await (const { key, value } of kv.list<CollectionValue>({ prefix: KEYS.collections })) {
    collections.set(String(key.at(-1)), value);
  }
  return collections;
}

type PlaceOf = (generation: string, id: string) => Place | undefined;

function placesIn(collections: ReadonlyMap<string, CollectionValue>, directory: Directory): PlaceOf {
  const byGeneration = new Map([...collections].map(([name, value]) => [value.generation, { name, value }]));
  return (generation, id) => {
    const found = byGeneration.get(generation);
    return found && directory.placeOf(found.name, found.value, id);
  };
}

/** @param within nothing, for all; or the generation and id of one subject */
async function readSubjects(
  kv: Deno.Kv,
  within: [] | [string, string],
  placeOf: PlaceOf,
  dimensions: number,
): Promise<Fetched["subjects"]> {
  const images = new Map<string, Map<string, ReadImage>>();
  for await (const { key, value } of kv.list({ prefix: KEYS.images(...within) }, { batchSize: 200 })) {
    const [generation, id, image, isThumbnail] = key.slice(KEYS.images().length).map(String);
    const at = placeOf(generation, id);
    if (at === undefined) continue;
    const ofSubject = images.get(id) ?? new Map<string, ReadImage>();
    images.set(id, ofSubject);
    if (!isThumbnail) ofSubject.set(image, decodeImage(value, at, image, dimensions));
    else {
      // It comes right after its image, unless that has just been deleted.
      const read = ofSubject.get(image);
      if (read) read.record.thumbnail = decodeThumbnail(value, at, image);
    }
  }
  const subjects: Fetched["subjects"] = new Map();
  const add = (key: Deno.KvKey, value: unknown) => {
    const [generation, id] = key.slice(KEYS.subjects().length).map(String);
    const at = placeOf(generation, id);
    if (at === undefined) return;
    const ordered = [...images.get(id)?.values() ?? []].sort((a, b) => a.ordinal - b.ordinal);
    const record = { ...decodeSubject(value, at), images: ordered.map(({ record }) => record) };
    subjects.set(id, { collection: at.collection, generation, record });
  };
  if (within.length === 2) {
    const { key, value } = await kv.get(KEYS.subject(...within));
    if (value !== null) add(key, value);
  } else {
    for await (const { key, value } of kv.list({ prefix: KEYS.subjects() })) add(key, value);
  }
  return subjects;
}
