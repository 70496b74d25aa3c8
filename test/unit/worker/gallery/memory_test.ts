import assert from "node:assert/strict";
import type { GallerySnapshot } from "../../../../shared/snapshot.ts";
import { RepeatedKeyError, StaleError, UnknownError } from "../../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { DIMENSIONS, randomFrom, unitVector } from "./records.ts";

const EMPTY: GallerySnapshot = { fingerprint: "sha256:0", dimensions: DIMENSIONS, collections: [] };
const NOTHING = { metadata: {}, expiresAt: null };

function vectors(count: number): Float32Array<ArrayBuffer>[] {
  const random = randomFrom(5);
  return Array.from({ length: count }, () => unitVector(random));
}

Deno.test("a gallery has the collection default from the start, and others from their first enrolment", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  await gallery.addImage("fruit", "lime", vectors(1)[0]);
  assert.deepEqual(await gallery.collections(), [
    { collection: "default", subjects: 0, images: 0 },
    { collection: "fruit", subjects: 1, images: 1 },
  ]);
});

Deno.test("collections are isolated from each other", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const [a, b] = vectors(2);
  await gallery.addImage("one", "lime", a);
  await gallery.addImage("two", "lime", b);
  const found = await gallery.search("two", a, { k: 5 });
  assert.equal(found.subjects, 1);
  assert.ok(found.nearest[0].distance > 0);
  await gallery.deleteCollection("two");
  assert.equal((await gallery.search("one", a, { k: 5 })).nearest[0].distance, 0);
});

Deno.test("deleting default empties it, deleting another removes it", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  for (const collection of ["default", "fruit"]) {
    await gallery.addImage(collection, "lime", vectors(1)[0]);
    await gallery.deleteCollection(collection);
  }
  assert.deepEqual(await gallery.collections(), [{ collection: "default", subjects: 0, images: 0 }]);
  await assert.rejects(gallery.deleteCollection("fruit"), UnknownError);
});

Deno.test("a subject keeps its images when its fields are replaced, and its fields when images come and go", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const [a, b] = vectors(2);
  const first = await gallery.addImage("c", "lime", a);
  await gallery.putSubject("c", "lime", { metadata: { color: "green" }, expiresAt: null });
  await gallery.addImage("c", "lime", b);
  await gallery.deleteImage("c", "lime", first.image);
  const { metadata, images } = await gallery.subject("c", "lime");
  assert.deepEqual(metadata, { color: "green" });
  assert.deepEqual(images.map(({ embedding }) => embedding), [b]);
  await assert.rejects(gallery.deleteImage("c", "lime", first.image), UnknownError);
});

Deno.test("a search compares only subjects that have an image and contain the filter", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const [a, b] = vectors(2);
  await gallery.putSubject("c", "empty", { metadata: { kind: "x" }, expiresAt: null });
  await gallery.addImage("c", "far", b);
  await gallery.putSubject("c", "far", { metadata: { kind: "x", size: 2 }, expiresAt: null });
  await gallery.addImage("c", "near", a);
  const found = await gallery.search("c", a, { k: 5, filter: { kind: "x" } });
  assert.equal(found.subjects, 1);
  assert.deepEqual(found.nearest.map(({ subject }) => subject), ["far"]);
  assert.deepEqual(found.nearest[0].metadata, { kind: "x", size: 2 });
});

Deno.test("a subject is gone from the moment it expires, and enrolling it again starts anew", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const written: GallerySnapshot[] = [];
  const gallery = createMemoryGallery({
    snapshot: EMPTY,
    now: () => now,
    persist: (snapshot) => Promise.resolve(void written.push(snapshot)),
  });
  const [a, b] = vectors(2);
  await gallery.addImage("c", "guest", a);
  await gallery.putSubject("c", "guest", { metadata: { room: 1 }, expiresAt: "2026-01-02T00:00:00.000Z" });
  assert.equal((await gallery.search("c", a, { k: 1 })).subjects, 1);
  now = Date.parse("2026-01-02T00:00:00Z");
  await assert.rejects(gallery.subject("c", "guest"), UnknownError);
  await assert.rejects(gallery.deleteSubject("c", "guest"), UnknownError);
  assert.deepEqual(await gallery.search("c", a, { k: 1 }), { subjects: 0, nearest: [] });
  assert.deepEqual((await gallery.subjects("c", { after: null, limit: 10 })).subjects, []);
  assert.deepEqual((await gallery.collections())[0], { collection: "c", subjects: 0, images: 0 });
  await gallery.addImage("c", "other", b);
  assert.deepEqual(written.at(-1)?.collections[0].subjects.map(({ subject }) => subject), ["other"]);
  const { record } = await gallery.addImage("c", "guest", b);
  assert.equal(record.images.length, 1);
  assert.deepEqual(record.metadata, {});
});

Deno.test("subjects are listed in the order of their names, each once, over any page size", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const names = ["b", "a", "é", "Z", "10", "9", "zz"];
  for (const name of names) await gallery.putSubject("c", name, NOTHING);
  for (let limit = 1; limit <= names.length + 1; limit++) {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = await gallery.subjects("c", { after, limit });
      assert.ok(page.subjects.length <= limit);
      seen.push(...page.subjects.map(({ subject }) => subject));
      after = page.next;
    } while (after !== null);
    assert.deepEqual(seen, [...names].sort());
  }
});

Deno.test("every change gives a subject another revision, and a condition on an old one is refused", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const first = (await gallery.putSubject("c", "lime", NOTHING)).record.revision;
  const second = (await gallery.addImage("c", "lime", vectors(1)[0])).record.revision;
  assert.notEqual(first, second);
  await assert.rejects(gallery.putSubject("c", "lime", NOTHING, [first]), StaleError);
  await assert.rejects(gallery.deleteSubject("c", "lime", [first]), StaleError);
  await assert.rejects(gallery.putSubject("c", "new", NOTHING, "any"), StaleError);
  await gallery.deleteSubject("c", "lime", ["other", second]);
  await gallery.putSubject("c", "lime", NOTHING);
  await assert.rejects(gallery.deleteSubject("c", "lime", [second]), StaleError);
  await gallery.deleteSubject("c", "lime", "any");
});

Deno.test("of changes on the same revision at the same time exactly one is made", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY, persist: () => new Promise((done) => setTimeout(done, 1)) });
  const { revision } = (await gallery.putSubject("c", "lime", NOTHING)).record;
  const changes = Array.from({ length: 10 }, (_, n) => {
    return gallery.putSubject("c", "lime", { metadata: { n }, expiresAt: null }, [revision]);
  });
  const outcomes = await Promise.allSettled(changes);
  assert.deepEqual(outcomes.map(({ status }) => status === "fulfilled"), [true, ...Array(9).fill(false)]);
  assert.deepEqual((await gallery.subject("c", "lime")).metadata, { n: 0 });
});

Deno.test("a repeated request makes one image, at the same time or later, and refuses other content", async () => {
  const gallery = createMemoryGallery({ snapshot: EMPTY });
  const [a, b] = vectors(2);
  const request = { key: "k", digest: "d" };
  const made = await Promise.all([1, 2, 3].map(() => gallery.addImage("c", "lime", a, { request })));
  made.push(await gallery.addImage("c", "lime", a, { request }));
  assert.equal(new Set(made.map(({ image }) => image)).size, 1);
  assert.equal((await gallery.subject("c", "lime")).images.length, 1);
  await assert.rejects(gallery.addImage("c", "lime", b, { request: { key: "k", digest: "e" } }), RepeatedKeyError);
  await gallery.addImage("c", "plum", b, { request: { key: "k", digest: "e" } });
});
