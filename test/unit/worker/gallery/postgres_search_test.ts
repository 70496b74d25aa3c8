import assert from "node:assert/strict";
import type postgres from "postgres";
import { contains } from "../../../../worker/gallery/filter.ts";
import type { Gallery } from "../../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { openPostgresGallery } from "../../../../worker/gallery/postgres.ts";
import { inDatabase, server, testOnServer, withGalleries } from "./postgres_gallery.ts";
import { EMPTY, randomFrom, subjectOf, unitVector } from "./records.ts";

type Json = Record<string, unknown>;

const random = randomFrom(4);
const pick = (count: number) => Math.floor(count * random());

/** Strings, numbers and names that are easily taken for others. */
const SCALARS = [
  0,
  1,
  -1,
  1e21,
  1e-7,
  0.1 + 0.2,
  0.3,
  2 ** 53,
  "",
  "a",
  "1",
  "é",
  "\0",
  "\x1a",
  "\ud800",
  "\\u0000",
  "🍎",
];
const NAMES = ["a", "b", "", "\0", "__proto__", "\udc00"];

function randomJson(depth: number): unknown {
  const kind = depth === 0 ? pick(2) : pick(5);
  if (kind === 0) return [true, false, null][pick(3)];
  if (kind === 1) return SCALARS[pick(SCALARS.length)];
  if (kind === 2) return Array.from({ length: pick(4) }, () => randomJson(depth - 1));
  return randomObject(depth - 1);
}

function randomObject(depth: number): Json {
  return Object.fromEntries(Array.from({ length: pick(4) }, () => [NAMES[pick(NAMES.length)], randomJson(depth)]));
}

/** A part of a value that it contains, mostly. */
function partOf(value: unknown): unknown {
  if (pick(12) === 0) return randomJson(1);
  if (Array.isArray(value)) return value.filter(() => pick(2)).map(partOf).reverse();
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(() => pick(3)).map(([name, item]) => [name, partOf(item)]));
}

/** Fills a gallery's tables, as enrolments would. */
async function fill(sql: postgres.Sql, collection: string, subjects: ReturnType<typeof subjectOf>[]): Promise<void> {
  const images = subjects.flatMap(({ subject, images }) =>
    images.map(({ image, embedding }, i) => ({ subject, image, ordinal: i, embedding: `[${embedding.join()}]` }))
  );
  const rows = subjects.map(({ subject, metadata, images }) => ({ subject, metadata, images: images.length }));
  await sql`INSERT INTO triptych_collections VALUES (${collection}) ON CONFLICT DO NOTHING`;
  await sql`INSERT INTO triptych_subjects SELECT ${collection}, subject, metadata::text, metadata, NULL, 'r', images
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) AS t(subject text, metadata jsonb, images integer)`;
  await sql`INSERT INTO triptych_images SELECT ${collection}, subject, image, ordinal, '', embedding::vector
    FROM jsonb_to_recordset(${JSON.stringify(images)}::text::jsonb)
    AS t(subject text, image text, ordinal integer, embedding text)`;
  const enrolled = subjects.filter(({ images }) => images.length > 0).length;
  await sql`INSERT INTO triptych_counts VALUES (${collection}, 0, 1, ${subjects.length}, ${enrolled}, ${images.length})`;
  await sql`ANALYZE triptych_images, triptych_subjects, triptych_counts`;
}

async function assertSameSearch(gallery: Gallery, other: Gallery, ...search: Parameters<Gallery["search"]>) {
  const [found, expected] = await Promise.all([gallery.search(...search), other.search(...search)]);
  assert.equal(found.subjects, expected.subjects);
  const names = (result: typeof found) => result.nearest.map(({ subject, image }) => `${subject} ${image}`);
  assert.deepEqual(names(found), names(expected));
  found.nearest.forEach(({ distance }, i) => assert.ok(Math.abs(distance - expected.nearest[i].distance) < 1e-6));
}

Deno.test("a filter finds in Postgres what contains() says, and metadata is kept as it was sent", () =>
  withGalleries(1, async ([gallery]) => {
    const documents = Array.from({ length: 120 }, () => randomObject(3));
    const vector = unitVector(random);
    for (const [i, metadata] of documents.entries()) {
      await gallery.addImage("c", `s${i}`, vector);
      const { record } = await gallery.putSubject("c", `s${i}`, { metadata, expiresAt: null });
      assert.equal(JSON.stringify((await gallery.subject("c", record.subject)).metadata), JSON.stringify(metadata));
    }
    let hits = 0;
    for (const document of documents) {
      const filter = partOf(document) as Json;
      if (filter === null || typeof filter !== "object" || Array.isArray(filter)) continue;
      const expected = documents.flatMap((metadata, i) => contains(metadata, filter) ? [`s${i}`] : []).sort();
      const found = await gallery.search("c", vector, { k: 100, filter });
      assert.equal(found.subjects, expected.length, JSON.stringify(filter));
      assert.deepEqual(found.nearest.map(({ subject }) => subject), expected.slice(0, 100), JSON.stringify(filter));
      hits += expected.length;
    }
    assert.ok(hits > 100);
  }));

Deno.test("a search of few images finds what one in memory does, ties and subjects with many images among them", () =>
  withGalleries(1, async ([gallery]) => {
    const memory = createMemoryGallery({ snapshot: EMPTY });
    const vectors = Array.from({ length: 12 }, () => unitVector(random));
    for (let i = 0; i < 60; i++) {
      const subject = ["s", "é", "🍎", "\uffee"][pick(4)] + pick(5), vector = vectors[pick(12)];
      await memory.addImage("c", subject, vector);
      await gallery.addImage("c", subject, vector);
      if (pick(3) > 0) continue;
      const fields = { metadata: { n: pick(3) }, expiresAt: null };
      for (const each of [memory, gallery]) await each.putSubject("c", subject, fields);
    }
    for (let i = 0; i < 20; i++) {
      const found = await memory.search("c", vectors[0], { k: 3 });
      const [query, k] = [pick(2) ? vectors[pick(12)] : unitVector(random), 1 + pick(30)];
      const options = [{ k }, { k, exclude: found.nearest[1].subject }, { k, filter: { n: pick(3) } }][pick(3)];
      const results = await Promise.all([gallery, memory].map((each) => each.search("c", query, options)));
      const plain = results.map(({ subjects, nearest }) => [subjects, nearest.map((n) => [n.subject, n.distance])]);
      assert.deepEqual(plain[0], plain[1]);
    }
  }));

Deno.test("a search of many images by the index finds what one in memory does, filtered or not", async () => {
  const subjects = Array.from({ length: 4000 }, (_, i) => ({
    ...subjectOf(`s${i}`, unitVector(random)),
    metadata: { of10: i % 10, of1000: i % 1000 },
  }));
  const memory = createMemoryGallery({ snapshot: { ...EMPTY, collections: [{ collection: "c", subjects }] } });
  await withGalleries(1, async ([gallery], url) => {
    await inDatabase(url, (sql) => fill(sql, "c", subjects));
    const plan = await inDatabase(
      url,
      (sql) => sql`EXPLAIN SELECT image FROM triptych_images ORDER BY embedding <-> '[1,0,0,0,0,0,0,0]' LIMIT 40`,
    );
    assert.match(JSON.stringify(plan), /triptych_images_by_embedding/);
    for (const filter of [undefined, { of10: 3 }, { of1000: 7 }]) {
      for (let i = 0; i < 10; i++) {
        const query = unitVector(random);
        await assertSameSearch(gallery, memory, "c", query, { k: 10, filter });
        await assertSameSearch(gallery, memory, "c", query, { k: 3, filter, exclude: "s7" });
      }
    }
  });
});

Deno.test("a search finds k subjects where one has all the images that are nearest, and in a small collection beside", async () => {
  const query = unitVector(random);
  const near = () => unitVector(() => 0.5 + 0.2 * random());
  const crowd = subjectOf("crowd", ...Array.from({ length: 2500 }, near));
  const others = Array.from({ length: 50 }, (_, i) => subjectOf(`s${i}`, unitVector(random)));
  const few = others.slice(0, 5);
  const collections = [{ collection: "c", subjects: [crowd, ...others] }, { collection: "few", subjects: few }];
  const memory = createMemoryGallery({ snapshot: { ...EMPTY, collections } });
  await withGalleries(1, async ([gallery], url) => {
    await inDatabase(url, async (sql) => {
      for (const { collection, subjects } of collections) await fill(sql, collection, subjects);
    });
    for (const each of [query, near()]) {
      await assertSameSearch(gallery, memory, "c", each, { k: 10 });
      await assertSameSearch(gallery, memory, "few", each, { k: 10 });
    }
  });
});

testOnServer(
  "searches go to replicas in turn, and to the primary where one is not there",
  () =>
    withGalleries(1, async ([writer], url) => {
      const vector = unitVector(random);
      const replicas = [url, "postgres://postgres@127.0.0.1:9/none?connect_timeout=2"];
      const reader = await openPostgresGallery({ url, replicas, model: EMPTY });
      await writer.addImage("c", "lime", vector);
      for (let i = 0; i < 4; i++) assert.equal((await reader.search("c", vector, { k: 1 })).nearest[0].subject, "lime");
      await reader.close();
    }),
);

testOnServer(
  "a replica that does not follow is not believed for longer than 5 s",
  () =>
    withGalleries(1, async ([writer], url) => {
      const vector = unitVector(random);
      const stale = await server.makeDatabase();
      const copy = await openPostgresGallery({ url: stale, model: EMPTY });
      for (const gallery of [writer, copy]) await gallery.addImage("c", "lime", vector);
      const reader = await openPostgresGallery({ url, replicas: [stale], model: EMPTY });
      await inDatabase(stale, (sql) => sql`UPDATE triptych_subjects SET metadata = '{"on":"replica"}'`);
      const search = async () => (await reader.search("c", vector, { k: 1 })).nearest;
      assert.deepEqual((await search())[0].metadata, { on: "replica" });
      await writer.deleteSubject("c", "lime");
      const deleted = performance.now();
      while ((await search()).length > 0) {
        assert.ok(performance.now() - deleted < 5_000);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await Promise.all([reader.close(), copy.close()]);
    }),
);
