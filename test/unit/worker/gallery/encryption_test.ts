import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { GalleryError } from "../../../../shared/errors.ts";
import {
  createKeyRing,
  createSealer,
  newMasterKey,
  parseMasterKey,
  SealError,
} from "../../../../worker/gallery/encryption.ts";
import type { Gallery } from "../../../../worker/gallery/gallery.ts";
import { openKvGallery } from "../../../../worker/gallery/kv.ts";
import { openSqliteGallery } from "../../../../worker/gallery/sqlite.ts";
import { EMPTY, isInFiles, randomFrom, unitVector } from "./records.ts";

const random = randomFrom(1);
const vector = unitVector(random), other = unitVector(random);
const key = parseMasterKey(newMasterKey())!, anotherKey = parseMasterKey(newMasterKey())!;
const text = new TextEncoder();

Deno.test("what is sealed opens in its place, with its key and unchanged, and nowhere else", () => {
  const sealer = createSealer(key), bytes = text.encode("an embedding");
  const sealed = sealer.seal(bytes, "embedding", "c", "s");
  assert.deepEqual(sealer.open(sealed, "embedding", "c", "s"), bytes);
  assert.notDeepEqual(sealer.seal(bytes, "embedding", "c", "s"), sealed);
  assert.throws(() => sealer.open(sealed, "embedding", "c", "t"), SealError);
  assert.throws(() => sealer.open(sealed, "embedding", "cs", ""), SealError);
  assert.throws(() => createSealer(anotherKey).open(sealed, "embedding", "c", "s"), SealError);
  for (let at = 0; at < sealed.length; at++) {
    const flipped = sealed.with(at, sealed[at] ^ 1);
    assert.throws(() => sealer.open(new Uint8Array(flipped), "embedding", "c", "s"), SealError);
  }
  assert.throws(() => sealer.open(sealed.subarray(0, 20), "embedding", "c", "s"), SealError);
});

Deno.test("a collection's key opens with the master key that made it, for that collection", () => {
  const keys = createKeyRing(key), wrapped = keys.make("c");
  const sealed = keys.sealerOf(wrapped, "c").seal(text.encode("x"), "what");
  assert.deepEqual(createKeyRing(key).sealerOf(wrapped, "c").open(sealed, "what"), text.encode("x"));
  assert.throws(() => keys.sealerOf(wrapped, "d"), SealError);
  assert.throws(() => createKeyRing(anotherKey).sealerOf(wrapped, "c"), SealError);
  assert.throws(() => keys.sealerOf(keys.make("c"), "c").open(sealed, "what"), SealError);
});

Deno.test("a master key is 32 bytes in base64 or hexadecimal digits", () => {
  assert.deepEqual(parseMasterKey(Buffer.from(key).toString("hex")), key);
  assert.deepEqual(parseMasterKey(Buffer.from(key).toString("base64")), key);
  for (const wrong of ["", "secret", "00".repeat(31), "00".repeat(33), `${"A".repeat(42)}==`]) {
    assert.equal(parseMasterKey(wrong), null);
  }
});

/** Opens a gallery in a file, encrypted or not. */
type Open = (path: string, key?: Uint8Array) => Promise<Gallery>;

const STORES: Record<string, Open> = {
  sqlite: (path, key) => openSqliteGallery(path, EMPTY, { key }),
  kv: (path, key) => openKvGallery({ path, model: EMPTY, key }),
};

async function inFolder(test: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-sealed-" });
  try {
    await test(`${folder}/gallery`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fill(gallery: Gallery): Promise<void> {
  const thumbnail = text.encode("Thumbelina"), request = { key: "k", digest: "d" };
  await gallery.addImage("c", "lime", vector, { thumbnail, request });
  await gallery.putSubject("c", "lime", { metadata: { name: "Winterbottom" }, expiresAt: null });
  await gallery.addImage("c", "plum", other);
}

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GalleryError, String(error));
  assert.match(error.message, message);
  return true;
};

for (const [name, open] of Object.entries(STORES)) {
  Deno.test(`${name}: an encrypted gallery has no embedding, thumbnail or metadata in any file, and is the same again`, () =>
    inFolder(async (path, folder) => {
      const patterns = (embedding: Float32Array) => [
        Buffer.from(embedding.buffer as ArrayBuffer).subarray(0, 8),
        Buffer.from(embedding.buffer as ArrayBuffer).toString("base64").slice(0, 16),
      ];
      const needles = ["Thumbelina", "Winterbottom", ...patterns(vector), ...patterns(other)];
      for (const used of [undefined, key]) {
        const at = `${path}-${used ? "sealed" : "plain"}`;
        const gallery = await open(`${at}/gallery`, used);
        await fill(gallery);
        const lime = await gallery.subject("c", "lime");
        const found = await Promise.all(needles.map((needle) => isInFiles(at, needle)));
        // That they are found where nothing is encrypted shows that they are looked for rightly.
        assert.equal(found.filter(Boolean).length, used ? 0 : 4, folder);
        await gallery.close();
        const again = await open(`${at}/gallery`, used);
        assert.deepEqual(await again.subject("c", "lime"), lime);
        await again.deleteCollection("c");
        await fill(again);
        await again.close();
        assert.deepEqual((await Promise.all(needles.map((needle) => isInFiles(at, needle)))).some(Boolean), !used);
      }
    }));

  Deno.test(`${name}: a gallery is refused without its key, with another, and with one if it has none`, () =>
    inFolder(async (path) => {
      await (await open(path, key)).close();
      await assert.rejects(
        open(path),
        refused(/is encrypted; set TRIPTYCH_GALLERY_KEY to the key it was made with\.$/),
      );
      await assert.rejects(
        open(path, anotherKey),
        refused(/was made with another key; set TRIPTYCH_GALLERY_KEY to .*\.$/),
      );
      await (await open(`${path}-plain`)).close();
      const message =
        /was made without a key and is not encrypted; unset TRIPTYCH_GALLERY_KEY, or .* export from here\.$/;
      await assert.rejects(open(`${path}-plain`, key), refused(message));
    }));

  Deno.test(`${name}: two encrypted galleries in one place read each other's changes, and those of a collection made anew`, () =>
    inFolder(async (path) => {
      const a = await open(path, key), b = await open(path, key);
      await fill(a);
      const seen = () => new Promise((resolve) => setTimeout(resolve, 1_100));
      await seen();
      assert.deepEqual(await b.subject("c", "lime"), await a.subject("c", "lime"));
      await b.deleteCollection("c");
      await b.addImage("c", "pear", other);
      await seen();
      assert.deepEqual(await a.subject("c", "pear"), await b.subject("c", "pear"));
      await Promise.all([a.close(), b.close()]);
    }));
}

const damaged = /^The embedding of c, \w+, \w+ in the gallery was changed or put there from elsewhere; restore .*\.$/;

Deno.test("sqlite: a bit that was flipped, and rows that were swapped, are refused with what to do", () =>
  inFolder(async (path) => {
    const { DatabaseSync } = await import("node:sqlite");
    await (async (gallery) => (await fill(gallery), await gallery.close()))(await STORES.sqlite(path, key));
    const edit = (edit: (embeddings: Uint8Array[]) => Uint8Array[]) => {
      const database = new DatabaseSync(path);
      const rows = database.prepare("SELECT ordinal, embedding FROM images ORDER BY ordinal").all();
      const edited = edit(rows.map(({ embedding }) => embedding as Uint8Array));
      const update = database.prepare("UPDATE images SET embedding = ? WHERE ordinal = ?");
      rows.forEach(({ ordinal }, i) => update.run(edited[i], Number(ordinal)));
      database.close();
    };
    const flip = ([first, ...rest]: Uint8Array[]) => [first.with(20, first[20] ^ 1), ...rest];
    edit(flip);
    await assert.rejects(STORES.sqlite(path, key), refused(damaged));
    edit(flip);
    await (await STORES.sqlite(path, key)).close();
    edit((embeddings) => embeddings.toReversed());
    await assert.rejects(STORES.sqlite(path, key), refused(damaged));
  }));

Deno.test("kv: a bit that was flipped, and values that were swapped, are refused with what to do", () =>
  inFolder(async (path) => {
    await (async (gallery) => (await fill(gallery), await gallery.close()))(await STORES.kv(path, key));
    const edit = async (edit: (values: Uint8Array[]) => Uint8Array[]) => {
      using kv = await Deno.openKv(path);
      const all = await Array.fromAsync(kv.list<Uint8Array>({ prefix: ["triptych", "image"] }));
      const images = all.filter(({ key }) => key.length === 5);
      const edited = edit(images.map(({ value }) => value));
      for (const [i, { key }] of images.entries()) await kv.set(key, edited[i]);
    };
    const flip = ([first, ...rest]: Uint8Array[]) => [first.with(20, first[20] ^ 1), ...rest];
    await edit(flip);
    await assert.rejects(STORES.kv(path, key), refused(damaged));
    await edit(flip);
    await (await STORES.kv(path, key)).close();
    await edit((values) => values.toReversed());
    await assert.rejects(STORES.kv(path, key), refused(damaged));
  }));

Deno.test("sqlite: the key of a collection goes with it", () =>
  inFolder(async (path) => {
    const { DatabaseSync } = await import("node:sqlite");
    const gallery = await STORES.sqlite(path, key);
    const keyOf = (collection: string) => {
      const database = new DatabaseSync(path);
      const row = database.prepare("SELECT key FROM data_keys WHERE collection = ?").get(collection);
      database.close();
      return row?.key as Uint8Array | undefined;
    };
    await fill(gallery);
    const before = keyOf("c"), ofDefault = keyOf("default");
    await gallery.deleteCollection("c");
    await gallery.deleteCollection("default");
    assert.equal(keyOf("c"), undefined);
    assert.notDeepEqual(keyOf("default"), ofDefault);
    assert.ok(before !== undefined && !await isInFiles(path.replace(/\/gallery$/, ""), before));
    await gallery.close();
  }));
