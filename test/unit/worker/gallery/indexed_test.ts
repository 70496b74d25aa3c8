import assert from "node:assert/strict";
import { GalleryError } from "../../../../shared/errors.ts";
import { type CollectionRecord, type Gallery, UnknownError } from "../../../../worker/gallery/gallery.ts";
import { createIndexedGallery } from "../../../../worker/gallery/indexed.ts";
import { Records } from "../../../../worker/gallery/records.ts";
import { randomFrom, unitVector } from "./records.ts";

const vector = unitVector(randomFrom(1));

/** A gallery whose changes are made durable by `write`, which is given what the gallery then holds. */
function galleryOn(write: (collections: CollectionRecord[]) => Promise<void>): Gallery {
  const records = new Records(Date.now);
  const transact = async (make: () => void) => {
    make();
    if (records.mark === 0) return;
    await write(records.names().map((collection) => ({ collection, subjects: [...records.living(collection)] })));
  };
  return createIndexedGallery({ records, store: { transact }, now: Date.now });
}

Deno.test("changes that arrive while one is written share the next write", async () => {
  let writes = 0;
  const gallery = galleryOn(() => (writes++, new Promise<void>((done) => setTimeout(done, 1))));
  const first = gallery.addImage("c", "first", vector);
  const rest = Array.from({ length: 50 }, async (_, i) => {
    await Promise.resolve();
    await gallery.addImage("c", `s${i}`, vector);
  });
  await Promise.all([first, ...rest]);
  assert.equal((await gallery.collections())[0].subjects, 51);
  assert.ok(writes <= 2, `${writes} writes`);
});

Deno.test("a change that fails to be written is not made, and the next good one is", async () => {
  let isFull = false;
  const written: CollectionRecord[][] = [];
  // deno-lint-ignore require-await
  const gallery = galleryOn(async (collections) => {
    if (isFull) throw new GalleryError("the disk is full");
    written.push(collections);
  });
  const { image, record } = await gallery.addImage("c", "kept", vector);
  const before = await gallery.subject("c", "kept");
  isFull = true;
  const changes = [
    gallery.addImage("c", "kept", vector),
    gallery.addImage("new", "lost", vector),
    gallery.deleteImage("c", "kept", image),
    gallery.deleteSubject("c", "kept"),
    gallery.deleteCollection("c"),
    gallery.deleteCollection("default"),
    gallery.restore("c", [{ ...record, subject: "restored" }]),
  ];
  for (const change of changes) await assert.rejects(change, /the disk is full/);
  assert.deepEqual(await gallery.subject("c", "kept"), before);
  await assert.rejects(gallery.subject("new", "lost"), /no collection "new"/);
  isFull = false;
  await gallery.addImage("c", "after", vector);
  const names = written.at(-1)?.flatMap(({ subjects }) => subjects.map(({ subject }) => subject));
  assert.deepEqual(names, ["kept", "after"]);
});

Deno.test("a change that is refused takes no other of its batch with it, and what changes nothing writes nothing", async () => {
  let writes = 0;
  const gallery = galleryOn(() => Promise.resolve(void writes++));
  const outcomes = await Promise.allSettled([
    gallery.addImage("c", "a", vector),
    gallery.deleteSubject("c", "unknown"),
    gallery.addImage("c", "b", vector),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.equal(writes, 1);
  await assert.rejects(gallery.deleteSubject("c", "unknown"), UnknownError);
  await gallery.putCollection("c");
  await gallery.restore("c", [await gallery.subject("c", "a")]);
  assert.equal(writes, 1);
});
