import assert from "node:assert/strict";
import { type Gallery, RepeatedKeyError, StaleError, UnknownError } from "../../../../worker/gallery/gallery.ts";
import { randomFrom, unitVector } from "./records.ts";

/** The time, as a gallery under test sees it: milliseconds since 1970. */
export interface Clock {
  now: number;
}

/** Runs a test on a new gallery, empty and of embeddings `[DIMENSIONS]`, and cleans up behind it. */
export type WithGallery = (clock: Clock, test: (gallery: Gallery) => Promise<void>) => Promise<void>;

const NOTHING = { metadata: {}, expiresAt: null };

function vectors(count: number): Float32Array<ArrayBuffer>[] {
  const random = randomFrom(5);
  return Array.from({ length: count }, () => unitVector(random));
}

/** Declares the tests that every gallery passes, whatever keeps it. */
export function declareConformance(name: string, withGallery: WithGallery): void {
  const declare = (behaviour: string, test: (gallery: Gallery, clock: Clock) => Promise<void>) =>
    Deno.test(`${name}: ${behaviour}`, () => {
      const clock = { now: Date.now() };
      return withGallery(clock, (gallery) => test(gallery, clock));
    });

  declare(
    "a gallery has the collection default from the start, and others from their first enrolment",
    async (gallery) => {
      await gallery.addImage("fruit", "lime", vectors(1)[0]);
      assert.deepEqual(await gallery.collections(), [
        { collection: "default", subjects: 0, images: 0 },
        { collection: "fruit", subjects: 1, images: 1 },
      ]);
    },
  );

  declare("collections are isolated from each other", async (gallery) => {
    const [a, b] = vectors(2);
    await gallery.addImage("one", "lime", a);
    await gallery.addImage("two", "lime", b);
    const found = await gallery.search("two", a, { k: 5 });
    assert.equal(found.subjects, 1);
    assert.ok(found.nearest[0].distance > 0);
    await gallery.deleteCollection("two");
    assert.equal((await gallery.search("one", a, { k: 5 })).nearest[0].distance, 0);
  });

  declare("deleting default empties it, deleting another removes it", async (gallery) => {
    for (const collection of ["default", "fruit"]) {
      await gallery.addImage(collection, "lime", vectors(1)[0]);
      await gallery.deleteCollection(collection);
    }
    assert.deepEqual(await gallery.collections(), [{ collection: "default", subjects: 0, images: 0 }]);
    await assert.rejects(gallery.deleteCollection("fruit"), UnknownError);
  });

  declare(
    "a subject keeps its images when its fields are replaced, and its fields when images come and go",
    async (gallery) => {
      const [a, b] = vectors(2);
      const first = await gallery.addImage("c", "lime", a);
      await gallery.putSubject("c", "lime", { metadata: { color: "green" }, expiresAt: null });
      await gallery.addImage("c", "lime", b);
      await gallery.deleteImage("c", "lime", first.image);
      const { metadata, images } = await gallery.subject("c", "lime");
      assert.deepEqual(metadata, { color: "green" });
      assert.deepEqual(images.map(({ embedding }) => embedding), [b]);
      await assert.rejects(gallery.deleteImage("c", "lime", first.image), UnknownError);
    },
  );

  declare("a search compares only subjects that have an image and contain the filter", async (gallery) => {
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

  declare(
    "a subject is gone from the moment it expires, and enrolling it again starts anew",
    async (gallery, clock) => {
      clock.now = Date.parse("2026-01-01T00:00:00Z");
      const [a, b] = vectors(2);
      await gallery.addImage("c", "guest", a);
      await gallery.putSubject("c", "guest", { metadata: { room: 1 }, expiresAt: "2026-01-02T00:00:00.000Z" });
      assert.equal((await gallery.search("c", a, { k: 1 })).subjects, 1);
      clock.now = Date.parse("2026-01-02T00:00:00Z");
      await assert.rejects(gallery.subject("c", "guest"), UnknownError);
      await assert.rejects(gallery.deleteSubject("c", "guest"), UnknownError);
      assert.deepEqual(await gallery.search("c", a, { k: 1 }), { subjects: 0, nearest: [] });
      assert.deepEqual((await gallery.subjects("c", { after: null, limit: 10 })).subjects, []);
      assert.deepEqual((await gallery.collections())[0], { collection: "c", subjects: 0, images: 0 });
      await gallery.addImage("c", "other", b);
      const { record } = await gallery.addImage("c", "guest", b);
      assert.equal(record.images.length, 1);
      assert.deepEqual(record.metadata, {});
    },
  );

  declare("subjects are listed in the order of their names, each once, over any page size", async (gallery) => {
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

  declare(
    "every change gives a subject another revision, and a condition on an old one is refused",
    async (gallery) => {
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
    },
  );

  declare("of changes on the same revision at the same time exactly one is made", async (gallery) => {
    const { revision } = (await gallery.putSubject("c", "lime", NOTHING)).record;
    const changes = Array.from({ length: 10 }, (_, n) => {
      return gallery.putSubject("c", "lime", { metadata: { n }, expiresAt: null }, [revision]);
    });
    const outcomes = await Promise.allSettled(changes);
    assert.deepEqual(outcomes.map(({ status }) => status === "fulfilled"), [true, ...Array(9).fill(false)]);
    assert.deepEqual((await gallery.subject("c", "lime")).metadata, { n: 0 });
  });

  declare(
    "a repeated request makes one image, at the same time or later, and refuses other content",
    async (gallery) => {
      const [a, b] = vectors(2);
      const request = { key: "k", digest: "d" };
      const made = await Promise.all([1, 2, 3].map(() => gallery.addImage("c", "lime", a, { request })));
      made.push(await gallery.addImage("c", "lime", a, { request }));
      assert.equal(new Set(made.map(({ image }) => image)).size, 1);
      assert.equal((await gallery.subject("c", "lime")).images.length, 1);
      await assert.rejects(gallery.addImage("c", "lime", b, { request: { key: "k", digest: "e" } }), RepeatedKeyError);
      await gallery.addImage("c", "plum", b, { request: { key: "k", digest: "e" } });
    },
  );

  declare("a snapshot is all that is there at one moment, whatever changes afterwards", async (gallery, clock) => {
    clock.now = Date.parse("2026-01-01T00:00:00Z");
    const [a, b] = vectors(2);
    await gallery.addImage("c", "lime", a);
    await gallery.putSubject("c", "gone", { metadata: {}, expiresAt: "2026-01-02T00:00:00.000Z" });
    const lime = await gallery.subject("c", "lime");
    clock.now = Date.parse("2026-01-02T00:00:00Z");
    const snapshot = await gallery.snapshot();
    await gallery.addImage("c", "lime", b);
    await gallery.addImage("c", "plum", b);
    assert.deepEqual(snapshot, [{ collection: "c", subjects: [lime] }, { collection: "default", subjects: [] }]);
  });

  declare("what is restored is as it was, and the same again changes nothing", async (gallery) => {
    const [a, b] = vectors(2);
    const images = [
      { image: "i1", createdAt: "2025-01-02T03:04:05.000Z", embedding: a, request: { key: "k", digest: "d" } },
      { image: "i2", createdAt: "2025-01-03T03:04:05.000Z", embedding: b, thumbnail: Uint8Array.of(1, 2) },
    ];
    const lime = {
      subject: "lime",
      metadata: { a: [1] },
      expiresAt: "2999-01-01T00:00:00.000Z",
      revision: "r",
      images,
    };
    const bare = { subject: "bare", metadata: {}, expiresAt: null, revision: "s", images: [] };
    for (let round = 0; round < 2; round++) {
      await gallery.restore("c", [lime, bare]);
      assert.deepEqual(await gallery.subject("c", "lime"), lime);
      assert.deepEqual(await gallery.subject("c", "bare"), bare);
    }
    const request = { key: "k", digest: "d" };
    assert.equal((await gallery.addImage("c", "lime", a, { request })).image, "i1");
    assert.equal((await gallery.search("c", b, { k: 1 })).nearest[0].image, "i2");
  });

  declare(
    "what is restored adds to a subject that is there the images that it lacks, or replaces it",
    async (gallery) => {
      const [a, b, c] = vectors(3);
      const image = (image: string, embedding: Float32Array) => ({
        image,
        createdAt: "2025-01-02T03:04:05.000Z",
        embedding,
      });
      const lime = { subject: "lime", metadata: { from: "elsewhere" }, expiresAt: null, revision: "r" };
      await gallery.restore("c", [{ ...lime, images: [image("i1", a), image("i2", b)] }]);
      await gallery.putSubject("c", "lime", { metadata: { from: "here" }, expiresAt: null });
      const { revision } = await gallery.subject("c", "lime");
      const other = { ...lime, images: [image("i2", b), image("i3", c)] };
      await gallery.restore("c", [other]);
      const merged = await gallery.subject("c", "lime");
      assert.deepEqual(merged.images.map(({ image }) => image), ["i1", "i2", "i3"]);
      assert.deepEqual(merged.metadata, { from: "here" });
      assert.notEqual(merged.revision, revision);
      await gallery.restore("c", [other], true);
      assert.deepEqual(await gallery.subject("c", "lime"), other);
    },
  );

  declare("the version is another one after every change and every expiry, and stays where nothing was changed", async (
    gallery,
    clock,
  ) => {
    clock.now = Date.parse("2026-01-01T00:00:00Z");
    const seen = [await gallery.version()];
    const another = async () => {
      const version = await gallery.version();
      assert.ok(!seen.includes(version));
      seen.push(version);
    };
    await gallery.putCollection("c");
    await another();
    const { image } = await gallery.addImage("c", "lime", vectors(1)[0]);
    await another();
    await gallery.putSubject("c", "guest", { metadata: {}, expiresAt: "2026-01-02T00:00:00.000Z" });
    await another();
    await gallery.deleteImage("c", "lime", image);
    await another();
    await gallery.putCollection("c");
    await assert.rejects(gallery.deleteImage("c", "lime", image), UnknownError);
    assert.equal(await gallery.version(), seen.at(-1));
    clock.now = Date.parse("2026-01-02T00:00:00Z");
    await another();
    await gallery.deleteCollection("c");
    await another();
    assert.equal(await gallery.version(), seen.at(-1));
  });

  declare("who watches is told the version after every change, until the signal", async (gallery) => {
    const stop = new AbortController();
    const versions = gallery.watch(stop.signal)[Symbol.asyncIterator]();
    for (const subject of ["lime", "plum"]) {
      const next = versions.next();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await gallery.addImage("c", subject, vectors(1)[0]);
      assert.deepEqual(await next, { done: false, value: await gallery.version() });
    }
    const last = versions.next();
    stop.abort();
    assert.deepEqual(await last, { done: true, value: undefined });
  });
}
