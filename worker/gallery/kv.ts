import { closeSync } from "node:fs";
import { ulid } from "ulid";
import { ZodError } from "zod";
import { GalleryError, messageOf, TriptychError } from "../../shared/errors.ts";
import { checkKey, createKeyRing } from "./encryption.ts";
import { DEFAULT_COLLECTION, type Gallery, StorageFullError } from "./gallery.ts";
import { createIndexedGallery } from "./indexed.ts";
import { Directory } from "./kv_directory.ts";
import { FORMAT, type GalleryValue, KEYS } from "./kv_layout.ts";
import { applyFetched, fetchChanges, type Fetched, readCollections } from "./kv_read.ts";
import { removeGarbage, writeJournal } from "./kv_write.ts";
import { checkModel } from "./model_check.ts";
import { makePrivateFile, saysFull } from "./private_file.ts";
import { Records } from "./records.ts";

/** How old what is read may be: others' changes are looked for at most this often. */
const FRESH_MILLISECONDS = 1_000;

/** How long a transaction is made again when those of others came first. */
const PATIENCE_MILLISECONDS = 5_000;

/** How many subjects that have expired are removed at once: a transaction has at most 1,000 mutations. */
const PURGED_AT_ONCE = 100;

/** A transaction has at most 800 KiB; a change takes the embedding in base64, a thumbnail and up to 8 KiB of metadata. */
const BATCH_BYTES = 700_000, CHANGE_BYTES = 40_000, BATCH = 16;

/** A value has at most 64 KiB, so that is what an embedding takes in base64, with something beside it. */
const MOST_DIMENSIONS = 12_000;

/** Which database, and how. */
export interface KvGalleryOptions {
  /** A local file; undefined for the runtime's own database, which the instances of a deployment share. */
  path: string | undefined;
  /** Of which model the gallery is. */
  model: { fingerprint: string; dimensions: number };
  /** The master key, of a gallery that is encrypted. */
  key?: Uint8Array | undefined;
  /** Milliseconds since 1970; default the clock. */
  now?: (() => number) | undefined;
}

/**
 * A gallery in Deno KV, for up to some thousand images: all of them are read at the start. Instances that share the
 * database see each other's changes within a second, and their own at once.
 *
 * @throws {GalleryError} if the runtime has no KV, or the gallery is damaged, of another model or key, or unreachable
 */
export async function openKvGallery({ path, model, key, now = Date.now }: KvGalleryOptions): Promise<Gallery> {
  const where = path === undefined ? "Deno KV" : path;
  // A Deno without the flag has none, and other runtimes have no Deno, whatever the types say.
  if (typeof globalThis.Deno?.openKv !== "function") {
    throw new GalleryError(
      "This runtime offers no Deno KV; start the worker with deno task serve, or with --unstable-kv, or set TRIPTYCH_GALLERY to sqlite:PATH.",
    );
  }
  if (model.dimensions > MOST_DIMENSIONS) {
    throw new GalleryError(`Deno KV takes embeddings of up to ${MOST_DIMENSIONS} dimensions; use sqlite:PATH.`);
  }
  const keys = key && createKeyRing(key);
  let kv: Deno.Kv | undefined;
  try {
    if (path !== undefined) closeSync(makePrivateFile(path));
    const database = kv = await patiently(() => Deno.openKv(path));
    const directory = new Directory(keys);
    await prepare(kv, model, directory);
    const { value } = await kv.get<GalleryValue>(KEYS.gallery);
    if (value === null || value.format !== FORMAT) throw unreadable(where, value?.format);
    checkModel(where, value.fingerprint, model.fingerprint);
    const [first] = await readCollections(kv);
    if (first === undefined) throw damaged(where);
    checkKey(where, first[1].key && { key: first[1].key, collection: first[0] }, keys);
    const records = new Records(now);
    const store = createStore(kv, { records, directory, where, dimensions: model.dimensions });
    await store.refresh();
    await patiently(() => removeGarbage(database));
    return createIndexedGallery({ records, store, now });
  } catch (error) {
    kv?.close();
    throw asGalleryError("open", where, error);
  }
}

/** Makes the gallery if there is none. */
async function prepare(kv: Deno.Kv, model: KvGalleryOptions["model"], directory: Directory): Promise<void> {
  const { fingerprint, dimensions } = model;
  const atomic = kv.atomic()
    .check({ key: KEYS.gallery, versionstamp: null })
    .set(KEYS.gallery, { format: FORMAT, fingerprint, dimensions } satisfies GalleryValue)
    .set(KEYS.collection(DEFAULT_COLLECTION), directory.newCollection(DEFAULT_COLLECTION, ulid()))
    .set(KEYS.version, 1);
  await patiently(() => atomic.commit());
}

/** Does again what failed only because another process is just writing a local file. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (!messageOf(error).includes("database is locked") || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
    }
  }
}

function createStore(
  kv: Deno.Kv,
  { records, directory, where, dimensions }: {
    records: Records;
    directory: Directory;
    where: string;
    dimensions: number;
  },
) {
  let read = { version: 0, versionstamp: "" }, readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function readChanges(): Promise<void> {
    const fetched: Fetched = { isWhole: false, subjects: new Map() };
    const before = read.version;
    for (let from = before;;) {
      const startedAt = performance.now();
      const { value: version, versionstamp } = await kv.get<number>(KEYS.version);
      if (version === null) throw damaged(where);
      if (version !== from) {
        await fetchChanges(kv, { from, to: version, directory, dimensions }, fetched);
        from = version;
        continue;
      }
      // A transaction of this process may have come in between, and has then read more than this.
      if (records.mark > 0 || read.version !== before) return;
      if (version !== before) applyFetched(fetched, records, directory);
      [read, readAt] = [{ version, versionstamp }, startedAt];
      return;
    }
  }

  /** Those who ask while it is read wait for the same. */
  const catchUp = () => reading ??= readChanges().finally(() => reading = undefined);

  /** @returns whether it left garbage; undefined if another's transaction came first */
  async function commit(): Promise<boolean | undefined> {
    const version = read.version + 1;
    const atomic = kv.atomic().check({ key: KEYS.version, versionstamp: read.versionstamp });
    const { leavesGarbage, learn } = writeJournal(atomic, records.journal, directory, version);
    const result = await patiently(() => atomic.commit());
    if (!result.ok) return undefined;
    read = { version, versionstamp: result.versionstamp };
    learn();
    return leavesGarbage;
  }

  /** @returns whether something was changed */
  async function change(make: () => void): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    while (true) {
      await catchUp();
      make();
      if (records.mark === 0) return false;
      const leavesGarbage = await commit();
      if (leavesGarbage !== undefined) {
        records.forget();
        // What is left is out of reach, and is removed with what is left next time.
        if (leavesGarbage) await patiently(() => removeGarbage(kv)).catch(() => {});
        return true;
      }
      records.undoTo(0);
      if (performance.now() > deadline) throw new Error("other workers change it too often");
    }
  }

  return {
    batch: Math.max(1, Math.min(BATCH, Math.floor(BATCH_BYTES / (CHANGE_BYTES + 6 * dimensions)))),
    async refresh() {
      if (performance.now() - readAt < FRESH_MILLISECONDS) return;
      try {
        await catchUp();
      } catch (error) {
        throw asGalleryError("read", where, error);
      }
    },
    async transact(make: () => void) {
      try {
        if (!await change(make)) return;
      } catch (error) {
        throw asGalleryError("write", where, error);
      }
      // What was asked for is made: what has expired can wait.
      await change(() => records.purge(PURGED_AT_ONCE)).catch(() => records.undoTo(0));
    },
    close: () => kv.close(),
  };
}

function unreadable(where: string, format: number | undefined): GalleryError {
  if (format === undefined) return damaged(where);
  return new GalleryError(
    `The gallery in ${where} has the format ${format}, and this version of Triptych reads ${FORMAT}; run the version that wrote it.`,
  );
}

function damaged(where: string): GalleryError {
  return new GalleryError(
    `The gallery in ${where} is damaged; restore it from a backup, or set TRIPTYCH_GALLERY to another.`,
  );
}

function asGalleryError(what: "open" | "read" | "write", where: string, error: unknown): TriptychError {
  if (error instanceof TriptychError) return error;
  if (what === "write" && saysFull(messageOf(error))) return new StorageFullError(where);
  if (error instanceof RangeError || error instanceof SyntaxError || error instanceof ZodError) return damaged(where);
  return new GalleryError(
    `Cannot ${what} the gallery in ${where}: ${messageOf(error)}; try again, or set TRIPTYCH_GALLERY to another.`,
  );
}
