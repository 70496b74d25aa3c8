import assert from "node:assert/strict";
import { GalleryError } from "../../../../shared/errors.ts";
import { StorageFullError, UnknownError } from "../../../../worker/gallery/gallery.ts";
import { openGallery } from "../../../../worker/gallery/open.ts";
import { openSqliteGallery } from "../../../../worker/gallery/sqlite.ts";
import { encodeSnapshotV1 } from "../../../support/snapshot_v1.ts";
import { declareConformance } from "./conformance.ts";
import { CARD, contentOf, EMPTY, isInFiles, randomFrom, subjectOf, unitVector } from "./records.ts";
import { assertSameAgain } from "./reopened.ts";

const random = randomFrom(1);
const vector = unitVector(random), other = unitVector(random);

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-sqlite-" });
  try {
    await test(`${folder}/below/gallery.sqlite`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

declareConformance("sqlite", (clock, test) =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY, { now: () => clock.now });
    try {
      await test(gallery);
    } finally {
      await gallery.close();
    }
  }));

Deno.test("a gallery in a database is the same when it is opened again", () =>
  inFolder((path) => assertSameAgain(() => openSqliteGallery(path, EMPTY))));

Deno.test("galleries on one database see each other's changes at the next read", () =>
  inFolder(async (path) => {
    const [a, b] = await Promise.all([openSqliteGallery(path, EMPTY), openSqliteGallery(path, EMPTY)]);
    const { image } = await a.addImage("c", "lime", vector);
    assert.equal((await b.search("c", vector, { k: 1 })).nearest[0].subject, "lime");
    await b.addImage("c", "lime", other);
    assert.deepEqual(await a.subject("c", "lime"), await b.subject("c", "lime"));
    await b.deleteImage("c", "lime", image);
    assert.ok((await a.search("c", vector, { k: 1 })).nearest[0].distance > 0);
    await a.addImage("d", "plum", vector);
    await a.deleteSubject("c", "lime");
    await assert.rejects(b.subject("c", "lime"), UnknownError);
    await b.deleteCollection("d");
    await assert.rejects(a.collection("d"), UnknownError);
    await b.addImage("d", "pear", vector);
    assert.deepEqual((await a.subjects("d", { after: null, limit: 9 })).subjects.map((s) => s.subject), ["pear"]);
    await Promise.all([a.close(), b.close()]);
  }));

Deno.test("who watches a gallery is told of a change of another process on the same database within 5 s", () =>
  inFolder(async (path) => {
    const [a, b] = await Promise.all([openSqliteGallery(path, EMPTY), openSqliteGallery(path, EMPTY)]);
    const before = await a.version();
    const stop = new AbortController();
    const versions = a.watch(stop.signal)[Symbol.asyncIterator]();
    const next = versions.next();
    await b.addImage("c", "lime", vector);
    const start = performance.now();
    assert.notEqual((await next).value, before);
    assert.ok(performance.now() - start < 5_000);
    assert.equal((await a.collection("c")).subjects, 1);
    stop.abort();
    await Promise.all([a.close(), b.close()]);
  }));

Deno.test("of changes on the same revision in two galleries on one database exactly one is made", () =>
  inFolder(async (path) => {
    const galleries = await Promise.all([openSqliteGallery(path, EMPTY), openSqliteGallery(path, EMPTY)]);
    for (let round = 0; round < 4; round++) {
      const { record } = await galleries[0].putSubject("c", "lime", { metadata: {}, expiresAt: null });
      const outcomes = await Promise.allSettled(
        galleries.map((gallery, n) =>
          gallery.putSubject("c", "lime", { metadata: { n }, expiresAt: null }, [record.revision])
        ),
      );
      assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    }
    await Promise.all(galleries.map((gallery) => gallery.close()));
  }));

Deno.test("kill -9 of two processes that enrol in one database loses nothing that was acknowledged, and a third sees it", () =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY);
    const acknowledged: string[] = [];
    for (let round = 0; round < 2; round++) {
      await Promise.all(["a", "b"].map(async (name) => {
        const subjects = await enrolUntilKilled(path, name + round);
        for (const subject of subjects) assert.equal((await gallery.subject("c", subject)).images.length, 1);
        acknowledged.push(...subjects);
      }));
    }
    await gallery.close();
    const again = await openSqliteGallery(path, EMPTY);
    for (const subject of acknowledged) assert.equal((await again.subject("c", subject)).images.length, 1);
    await again.close();
    assert.ok(acknowledged.length >= 80, `${acknowledged.length} acknowledged`);
  }));

/** @returns what was acknowledged before the process was killed, which is after twenty at the earliest */
async function enrolUntilKilled(path: string, prefix: string): Promise<string[]> {
  const script = new URL("sqlite_worker.ts", import.meta.url).pathname;
  const args = ["run", "--quiet", "--no-check", "--allow-read", "--allow-write", script, path, prefix];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split("\n").length > 20) child.kill("SIGKILL");
  }
  await child.status;
  return text.split("\n").slice(0, -1);
}

Deno.test("nothing of what was deleted or replaced is left in any file", () =>
  inFolder(async (path) => {
    const folder = path.replace(/\/[^/]+$/, "");
    const gallery = await openSqliteGallery(path, EMPTY);
    const metadata = { name: "Winterbottom" }, expiresAt = null, thumbnail = new TextEncoder().encode("Thumbelina");
    await gallery.putSubject("c", "Rumpelstilz", { metadata, expiresAt });
    for (let i = 0; i < 20; i++) await gallery.addImage("c", "Rumpelstilz", vector, { thumbnail });
    await gallery.putSubject("c", "stays", { metadata, expiresAt });
    const needles = ["Rumpelstilz", "Thumbelina", "Winterbottom", new Uint8Array(vector.buffer)];
    for (const needle of needles) assert.ok(await isInFiles(folder, needle));
    await gallery.deleteSubject("c", "Rumpelstilz");
    for (const needle of needles) assert.equal(await isInFiles(folder, needle), needle === "Winterbottom");
    await gallery.putSubject("c", "stays", { metadata: {}, expiresAt });
    assert.ok(!await isInFiles(folder, "Winterbottom"));
    await gallery.close();
  }));

Deno.test("of many subjects that were deleted among others, no row is left in the unused part of any page", () =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY), random = randomFrom(1);
    const there: string[] = [], deleted: string[] = [];
    const enrol = () => {
      const subject = `Rumpelstilz ${Math.floor(1e9 * random())}.`;
      there.push(subject);
      const text = `of ${subject} ${"-".repeat(Math.floor(900 * random()))}`;
      return gallery.putSubject("c", subject, { metadata: { text }, expiresAt: null });
    };
    // Rows are moved between pages where some come and some go.
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 60 }, enrol));
      for (let n = 0; n < 45; n++) {
        const [subject] = there.splice(Math.floor(there.length * random()), 1);
        deleted.push(subject);
        await gallery.deleteSubject("c", subject);
      }
    }
    const files = await contentOf(path.replace(/\/[^/]+$/, ""));
    assert.ok(there.every((subject) => files.includes(subject)));
    assert.deepEqual(deleted.filter((subject) => files.includes(subject)), []);
    await gallery.close();
  }));

Deno.test("what has expired is removed from the file by the next change", () =>
  inFolder(async (path) => {
    let now = 0;
    const gallery = await openSqliteGallery(path, EMPTY, { now: () => now });
    await gallery.putSubject("c", "Rumpelstilz", { metadata: {}, expiresAt: "2026-01-02T00:00:00.000Z" });
    now = Date.parse("2026-01-02T00:00:00Z");
    await gallery.putCollection("d");
    assert.ok(!await isInFiles(path.replace(/\/[^/]+$/, ""), "Rumpelstilz"));
    await gallery.close();
  }));

Deno.test("a change that cannot be written is not made, and the next good one is", () =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY);
    await gallery.addImage("c", "kept", vector);
    const before = await gallery.subject("c", "kept");
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec("CREATE TRIGGER full BEFORE INSERT ON images BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    const changes = [gallery.addImage("c", "kept", other), gallery.addImage("new", "lost", other)];
    for (const change of changes) await assert.rejects(change, GalleryError);
    assert.deepEqual(await gallery.subject("c", "kept"), before);
    await assert.rejects(gallery.subject("new", "lost"), UnknownError);
    database.exec("DROP TRIGGER full");
    database.close();
    await gallery.addImage("c", "after", other);
    await gallery.close();
    const again = await openSqliteGallery(path, EMPTY);
    assert.deepEqual((await again.collections()).map((c) => [c.collection, c.images]), [["c", 2], ["default", 0]]);
    await again.close();
  }));

Deno.test("what SQLite has no room for is StorageFullError, and is not made", () =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY);
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec(
      "CREATE TRIGGER full BEFORE INSERT ON images BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END",
    );
    await assert.rejects(gallery.addImage("new", "lost", other), StorageFullError);
    await assert.rejects(gallery.subject("new", "lost"), UnknownError);
    database.exec("DROP TRIGGER full");
    database.close();
    await gallery.addImage("new", "kept", other);
    await gallery.close();
  }));

Deno.test("a database of another model is refused with what to do", () =>
  inFolder(async (path) => {
    await (await openSqliteGallery(path, EMPTY)).close();
    const message = /^The gallery in .*sha256:1{12}.*sha256:2{12}; set TRIPTYCH_MODEL .*\.$/;
    await assertRefused(openSqliteGallery(path, { ...EMPTY, fingerprint: `sha256:${"2".repeat(64)}` }), message);
  }));

Deno.test("a file that is damaged, cut short, no database or one of something else is refused in one sentence", () =>
  inFolder(async (path) => {
    const gallery = await openSqliteGallery(path, EMPTY);
    for (let i = 0; i < 300; i++) await gallery.addImage("c", `s${i}`, vector);
    await gallery.close();
    const bytes = await Deno.readFile(path);
    const damagedBytes = bytes.slice().fill(0xa5, 4096 + 8, bytes.length - 4096);
    for (
      const damaged of [damagedBytes, bytes.subarray(0, bytes.length >> 1), new TextEncoder().encode("no database")]
    ) {
      await Deno.writeFile(path, damaged);
      await assertRefused(openSqliteGallery(path, EMPTY), /^The gallery in .* is damaged; restore it .*\.$/);
    }
    await Deno.remove(path);
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE notes (text TEXT)");
    database.close();
    const before = await Deno.readFile(path);
    await assertRefused(openSqliteGallery(path, EMPTY), /is a database of something else; set TRIPTYCH_GALLERY .*\.$/);
    assert.deepEqual(await Deno.readFile(path), before);
  }));

Deno.test("a database that cannot be made is refused in one sentence", () =>
  inFolder(async (path) => {
    await Deno.writeTextFile(path.replace(/\/below.*/, "/below"), "a file where a folder should be");
    await assertRefused(openSqliteGallery(path, EMPTY), /^Cannot open the gallery in .*; set TRIPTYCH_GALLERY .*\.$/);
  }));

async function assertRefused(opening: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof GalleryError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("of two galleries that open a new database at once, one takes over the snapshot of a former version", () =>
  inFolder(async (path) => {
    const former = path.replace(/sqlite$/, "snapshot");
    const collections = [{ collection: "fruit", subjects: [subjectOf("lime", vector, other)] }];
    await Deno.mkdir(path.replace(/\/[^/]+$/, ""));
    await Deno.writeFile(former, await encodeSnapshotV1({ ...EMPTY, collections }));
    const open = () => openGallery({ kind: "sqlite", path, former }, CARD);
    const [first, second] = await Promise.all([open(), open()]);
    assert.deepEqual(await first.subject("fruit", "lime"), collections[0].subjects[0]);
    assert.deepEqual(await second.subject("fruit", "lime"), collections[0].subjects[0]);
    await first.deleteSubject("fruit", "lime");
    await Promise.all([first.close(), second.close()]);
    await assert.rejects(Deno.stat(former), Deno.errors.NotFound);
    const again = await open();
    assert.equal((await again.collection("fruit")).subjects, 0);
    await again.close();
  }));
