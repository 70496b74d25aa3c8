import { ulid } from "ulid";
import type { Directory } from "./kv_directory.ts";
import {
  type ChangeValue,
  encodeImage,
  encodeSubject,
  encodeThumbnail,
  KEYS,
  type Place,
  TOLD_CHANGES,
} from "./kv_layout.ts";
import { imageChanges, netChangesOf } from "./net_changes.ts";
import type { Step } from "./records.ts";

/** How many images of one transaction have an ordinal of their own. */
const ORDINALS = 1_000;

/** How many keys are removed at once. */
const REMOVED_AT_ONCE = 500;

/** What is to be done once a transaction is made. */
export interface Written {
  /** Whether it left something behind to be removed. */
  leavesGarbage: boolean;
  /** Tells the directory. */
  learn(): void;
}

/**
 * Adds to a transaction what makes it the one of a journal.
 *
 * @param version the version that it makes
 */
export function writeJournal(
  atomic: Deno.AtomicOperation,
  journal: readonly Step[],
  directory: Directory,
  version: number,
): Written {
  const net = netChangesOf(journal);
  const change: ChangeValue = { collections: net.collections.size > 0, subjects: [] };
  const collections = new Map(directory.collections);
  const learned = [() => directory.setCollections(collections)];
  let leavesGarbage = false, ordinal = ORDINALS * version;

  for (const [collection, isThere] of net.collections) {
    const previous = collections.get(collection);
    if (previous !== undefined) {
      atomic.set(KEYS.garbage(previous.generation), true);
      leavesGarbage = true;
    }
    if (isThere) {
      const value = directory.newCollection(collection, ulid());
      collections.set(collection, value);
      atomic.set(KEYS.collection(collection), value);
    } else {
      collections.delete(collection);
      atomic.delete(KEYS.collection(collection));
    }
  }
  for (const { collection, subject, previous, next } of net.subjects) {
    const value = collections.get(collection)!, { generation } = value;
    const known = previous && directory.idOf(generation, subject);
    const { gone, added } = imageChanges(previous, next);
    const isReplaced = gone.length > 0 && gone.length === previous?.images.length;
    if (known !== undefined && (next === undefined || isReplaced)) {
      // Its images may be more than a transaction can remove.
      atomic.delete(KEYS.subject(generation, known)).set(KEYS.garbage(generation, known), true);
      change.subjects.push([generation, known]);
      learned.push(() => directory.remove(known));
      leavesGarbage = true;
    }
    if (next === undefined) continue;
    const id = known === undefined || isReplaced ? ulid() : known;
    const at: Place = directory.placeOf(collection, value, id);
    change.subjects.push([generation, id]);
    learned.push(() => directory.add(id, generation, subject));
    atomic.set(KEYS.subject(generation, id), encodeSubject(next, at));
    if (id === known) {
      for (const { image } of gone) {
        atomic.delete(KEYS.image(generation, id, image)).delete(KEYS.thumbnail(generation, id, image));
      }
    }
    for (const record of id === known ? added : next.images) {
      const { image, thumbnail } = record;
      atomic.set(KEYS.image(generation, id, image), encodeImage(record, ordinal++, at));
      if (thumbnail) atomic.set(KEYS.thumbnail(generation, id, image), encodeThumbnail(thumbnail, at, image));
    }
  }
  atomic.set(KEYS.version, version).set(KEYS.change(version), change).delete(KEYS.change(version - TOLD_CHANGES));
  return { leavesGarbage, learn: () => learned.forEach((learn) => learn()) };
}

/** Removes what is out of reach since its collection was dropped or its subject deleted. */
export async function removeGarbage(kv: Deno.Kv): Promise<void> {
  let keys: Deno.KvKey[] = [];
  const remove = async (most: number) => {
    if (keys.length <= most) return;
    const atomic = kv.atomic();
    for (const key of keys) atomic.delete(key);
    await atomic.commit();
    keys = [];
  };
  for await (const { key } of kv.list({ prefix: KEYS.allGarbage })) {
    const place = key.slice(KEYS.allGarbage.length).map(String);
    for (const prefix of [KEYS.subjects(...place), KEYS.images(...place)]) {
      for await (const below of kv.list({ prefix })) {
        keys.push(below.key);
        await remove(REMOVED_AT_ONCE);
      }
    }
    // After all that it stands for.
    keys.push(key);
    await remove(REMOVED_AT_ONCE);
  }
  await remove(0);
}
