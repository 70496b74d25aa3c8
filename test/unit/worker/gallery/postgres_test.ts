import assert from "node:assert/strict";
import { GalleryError } from "../../../../shared/errors.ts";
import { RepeatedKeyError, StorageFullError, UnknownError } from "../../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { openPostgresGallery } from "../../../../worker/gallery/postgres.ts";
import { declareConformance } from "./conformance.ts";
import { inDatabase, server, testOnServer, withGalleries } from "./postgres_gallery.ts";
import { EMPTY, randomFrom, unitVector } from "./records.ts";

const NOTHING = { metadata: {}, expiresAt: null };
const vector = unitVector(randomFrom(1));

declareConformance("postgres", (clock, test) => withGalleries(1, ([gallery]) => test(gallery), () => clock.now));

testOnServer(
  "workers that start at once on an empty database share one gallery, and find it as it was later",
  async () => {
    await withGalleries(4, async (galleries, url) => {
      const thumbnail = Uint8Array.of(0, 255, 92, 39);
      const request = { key: "k", digest: "d" };
      const { record } = await galleries[0].addImage("fruit", "lime", vector, { request, thumbnail });
      await galleries[1].putSubject("fruit", "plum", {
        metadata: { b: 1, a: [] },
        expiresAt: "2999-01-01T00:00:00.000Z",
      });
      for (const gallery of galleries) assert.deepEqual(await gallery.subject("fruit", "lime"), record);
      const again = await openPostgresGallery({ url, model: EMPTY });
      assert.deepEqual(await again.subject("fruit", "lime"), record);
      assert.deepEqual(await again.collections(), await galleries[2].collections());
      assert.equal(JSON.stringify((await again.subject("fruit", "plum")).metadata), '{"b":1,"a":[]}');
      await again.close();
    });
  },
);

testOnServer(
  "who watches is told of the deletion of another worker within 5 s",
  () =>
    withGalleries(2, async ([a, b]) => {
      await a.addImage("c", "lime", vector);
      const stop = new AbortController();
      const versions = b.watch(stop.signal)[Symbol.asyncIterator]();
      const next = versions.next();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const start = performance.now();
      await a.deleteSubject("c", "lime");
      assert.equal((await next).value, await a.version());
      assert.ok(performance.now() - start < 5_000);
      await assert.rejects(b.subject("c", "lime"), UnknownError);
      stop.abort();
      await versions.return?.(undefined);
    }),
);

testOnServer(
  "of changes on the same revision by two workers exactly one is made",
  () =>
    withGalleries(2, async (galleries) => {
      for (let round = 0; round < 10; round++) {
        const { record } = await galleries[0].putSubject("c", "lime", NOTHING);
        const outcomes = await Promise.allSettled(
          galleries.map((gallery, n) =>
            gallery.putSubject("c", "lime", { metadata: { n }, expiresAt: null }, [record.revision])
          ),
        );
        assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
      }
    }),
);

testOnServer(
  "1,000 requests with one key at two workers at once make one image, and one with other content is refused",
  () =>
    withGalleries(2, async (galleries) => {
      const request = { key: "k", digest: "d" };
      const made = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => galleries[i % 2].addImage("c", "lime", vector, { request })),
      );
      assert.equal(new Set(made.map(({ image }) => image)).size, 1);
      assert.deepEqual(await galleries[0].collection("c"), { collection: "c", subjects: 1, images: 1 });
      const other = { request: { key: "k", digest: "e" } };
      await assert.rejects(galleries[1].addImage("c", "lime", vector, other), RepeatedKeyError);
    }),
);

testOnServer(
  "images that two workers enrol of one subject at once are all there, in one order",
  () =>
    withGalleries(2, async (galleries) => {
      await Promise.all(Array.from({ length: 40 }, (_, i) => galleries[i % 2].addImage("c", "lime", vector)));
      const { images } = await galleries[0].subject("c", "lime");
      assert.equal(new Set(images.map(({ image }) => image)).size, 40);
      assert.deepEqual((await galleries[1].subject("c", "lime")).images, images);
    }),
);

testOnServer(
  "a collection that is deleted while others enrol in it is gone or made anew, and counts what is in it",
  () =>
    withGalleries(2, async ([a, b], url) => {
      for (let round = 0; round < 5; round++) {
        await a.putCollection("c");
        const enrolments = Array.from({ length: 10 }, (_, i) => b.addImage("c", `s${i}`, vector));
        await Promise.all([...enrolments, a.deleteCollection("c")]);
      }
      await a.putCollection("c");
      const [{ subjects, images }] = await inDatabase(
        url,
        (sql) =>
          sql`SELECT (SELECT count(*) FROM triptych_subjects)::int AS subjects,
        (SELECT count(*) FROM triptych_images)::int AS images`,
      );
      assert.deepEqual(await b.collection("c"), { collection: "c", subjects, images });
    }),
);

Deno.test("whatever is done, the collections are those of a gallery in memory", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const memory = createMemoryGallery({ snapshot: EMPTY, now: () => now });
  await withGalleries(1, async ([gallery]) => {
    const random = randomFrom(9);
    const pick = (count: number) => Math.floor(count * random());
    for (let step = 0; step < 150; step++) {
      now += pick(60_000);
      const collection = "ab"[pick(2)], subject = `s${pick(4)}`, kind = pick(10);
      const expiresAt = pick(2) === 0 ? null : new Date(now + pick(200_000)).toISOString();
      const outcomes = await Promise.allSettled([memory, gallery].map(async (each) => {
        if (kind < 4) return (await each.addImage(collection, subject, vector)).record.images.length;
        if (kind < 6) return (await each.putSubject(collection, subject, { metadata: {}, expiresAt })).created;
        if (kind < 7) return await each.deleteSubject(collection, subject);
        if (kind < 8) return await each.deleteCollection(collection);
        const { images } = await each.subject(collection, subject);
        return await each.deleteImage(collection, subject, images[0]?.image ?? "none");
      }));
      const [expected, seen] = outcomes.map((outcome) =>
        outcome.status === "fulfilled" ? outcome.value : String(outcome.reason)
      );
      assert.deepEqual(seen, expected);
      assert.deepEqual(await gallery.collections(), await memory.collections());
      const found = await gallery.search("default", vector, { k: 1 });
      assert.deepEqual(found, await memory.search("default", vector, { k: 1 }));
    }
  }, () => now);
});

Deno.test("a gallery of another model, or of a later version, is refused with what to do", async () => {
  await withGalleries(1, async (_, url) => {
    const other = { ...EMPTY, fingerprint: `sha256:${"2".repeat(64)}` };
    await assertRefused(openPostgresGallery({ url, model: other }), /sha256:1{12}.*sha256:2{12}; set TRIPTYCH_MODEL/);
    await inDatabase(url, (sql) => sql`UPDATE triptych_gallery SET format = 99`);
    await assertRefused(openPostgresGallery({ url, model: EMPTY }), /has the format 99.*set TRIPTYCH_GALLERY/);
  });
});

Deno.test("a server that is not there is refused in one sentence without the password", () =>
  assertRefused(
    openPostgresGallery({ url: "postgres://user:geheim@127.0.0.1:9/db?connect_timeout=2", model: EMPTY }),
    /^Cannot open the gallery in postgres:\/\/127\.0\.0\.1:9\/db: .*\.$/,
  ));

Deno.test("a change for which the disk has no room is not made, and the next good one is", () =>
  withGalleries(1, async ([gallery], url) => {
    const { record } = await gallery.addImage("c", "kept", vector);
    const version = await gallery.version();
    await inDatabase(url, async (sql) => {
      await sql`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`;
      await sql`CREATE TRIGGER full_disk BEFORE INSERT ON triptych_images EXECUTE FUNCTION full_disk()`;
    });
    for (const subject of ["kept", "new"]) {
      await assert.rejects(gallery.addImage("c", subject, vector), StorageFullError);
    }
    assert.deepEqual(await gallery.subject("c", "kept"), record);
    assert.equal(await gallery.version(), version);
    await inDatabase(url, (sql) => sql`DROP TRIGGER full_disk ON triptych_images`);
    await gallery.addImage("c", "new", vector);
  }));

testOnServer(
  "changes outlive that their connections are cut",
  () =>
    withGalleries(1, async ([gallery], url) => {
      let enrolling = true;
      const cut = inDatabase(url, async (sql) => {
        while (enrolling) {
          await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()`;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      });
      const names = Array.from({ length: 200 }, (_, i) => `s${i}`);
      for (const name of names) await gallery.addImage("c", name, vector);
      enrolling = false;
      await cut;
      for (const name of names) assert.equal((await gallery.subject("c", name)).images.length, 1);
      assert.equal((await gallery.collection("c")).images, names.length);
    }),
);

testOnServer("a gallery has as many connections as its URL says, and uses them", async () => {
  const url = await server.makeDatabase();
  const gallery = await openPostgresGallery({ url: `${url}?max=3`, model: EMPTY });
  await Promise.all(Array.from({ length: 30 }, (_, i) => gallery.putSubject("c", `s${i}`, NOTHING)));
  const [{ connections }] = await inDatabase(
    url,
    (sql) =>
      sql`SELECT count(*)::integer AS connections FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'triptych'`,
  );
  assert.equal(connections, 3);
  await gallery.close();
});

testOnServer("a statement that takes too long is given up", async () => {
  const url = `${await server.makeDatabase()}?statement_timeout=200`;
  const gallery = await openPostgresGallery({ url, model: EMPTY });
  await inDatabase(url.replace(/\?.*/, ""), async (sql) => {
    await sql`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$`;
    await sql`CREATE TRIGGER wait BEFORE INSERT ON triptych_images FOR EACH ROW EXECUTE FUNCTION wait()`;
  });
  const start = performance.now();
  await assert.rejects(gallery.addImage("c", "lime", vector), GalleryError);
  assert.ok(performance.now() - start < 4_000);
  await gallery.close();
});

Deno.test("what has expired is removed by a later change", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  await withGalleries(1, async ([gallery], url) => {
    await gallery.putSubject("c", "guest", { metadata: {}, expiresAt: "2026-01-02T00:00:00.000Z" });
    now = Date.parse("2026-01-02T00:00:00Z");
    await gallery.putSubject("c", "other", NOTHING);
    const rows = await inDatabase(url, (sql) => sql`SELECT subject FROM triptych_subjects`);
    assert.deepEqual(rows.map(({ subject }) => subject), ["other"]);
  }, () => now);
});

async function assertRefused(opening: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof GalleryError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /geheim/);
    return true;
  });
}
