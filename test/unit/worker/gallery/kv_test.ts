import assert from "node:assert/strict";
import settings from "../../../../deno.json" with { type: "json" };
import { GalleryError } from "../../../../shared/errors.ts";
import { UnknownError } from "../../../../worker/gallery/gallery.ts";
import { openKvGallery } from "../../../../worker/gallery/kv.ts";
import { declareConformance } from "./conformance.ts";
import { EMPTY, randomFrom, unitVector } from "./records.ts";
import { assertSameAgain } from "./reopened.ts";

const KV_MODULE = "../../../../worker/gallery/kv.ts";

const random = randomFrom(1);
const vector = unitVector(random), other = unitVector(random);

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-kv-" });
  try {
    await test(`${folder}/below/gallery.kv`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const open = (path: string) => openKvGallery({ path, model: EMPTY });

declareConformance("kv", (clock, test) =>
  inFolder(async (path) => {
    const gallery = await openKvGallery({ path, model: EMPTY, now: () => clock.now });
    try {
      await test(gallery);
    } finally {
      await gallery.close();
    }
  }));

Deno.test("a gallery in Deno KV is the same when it is opened again", () =>
  inFolder((path) => assertSameAgain(() => open(path))));

Deno.test("galleries in one Deno KV see each other's changes within two seconds", () =>
  inFolder(async (path) => {
    const [a, b] = await Promise.all([open(path), open(path)]);
    const seen = () => new Promise((resolve) => setTimeout(resolve, 1_100));
    const { image } = await a.addImage("c", "lime", vector);
    await b.addImage("c", "lime", other);
    await seen();
    assert.deepEqual(await a.subject("c", "lime"), await b.subject("c", "lime"));
    await b.deleteImage("c", "lime", image);
    await a.addImage("d", "plum", vector);
    await seen();
    assert.ok((await a.search("c", vector, { k: 1 })).nearest[0].distance > 0);
    assert.equal((await b.search("d", vector, { k: 1 })).nearest[0].subject, "plum");
    await a.deleteSubject("c", "lime");
    await b.deleteCollection("d");
    await seen();
    await assert.rejects(b.subject("c", "lime"), UnknownError);
    await assert.rejects(a.collection("d"), UnknownError);
    await b.addImage("d", "pear", vector);
    await a.deleteCollection("default");
    await seen();
    assert.deepEqual((await a.subjects("d", { after: null, limit: 9 })).subjects.map((s) => s.subject), ["pear"]);
    await Promise.all([a.close(), b.close()]);
  }));

Deno.test("who is further behind than changes are told in Deno KV reads all", () =>
  inFolder(async (path) => {
    const [a, b] = [await open(path), await open(path)];
    await a.addImage("c", "goes", vector);
    await a.addImage("c", "stays", vector);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal((await b.collection("c")).subjects, 2);
    await a.deleteSubject("c", "goes");
    for (let n = 0; n <= 1_000; n++) await a.putSubject("c", "stays", { metadata: { n }, expiresAt: null });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.deepEqual(
      await b.subjects("c", { after: null, limit: 9 }),
      await a.subjects("c", { after: null, limit: 9 }),
    );
    await Promise.all([a.close(), b.close()]);
  }));

Deno.test("of changes on the same revision in two galleries in one Deno KV exactly one is made", () =>
  inFolder(async (path) => {
    const galleries = await Promise.all([open(path), open(path)]);
    for (let round = 0; round < 10; round++) {
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

Deno.test("two galleries in one Deno KV make all of many changes at once", () =>
  inFolder(async (path) => {
    const galleries = await Promise.all([open(path), open(path)]);
    const changes = galleries.map((gallery, g) =>
      Promise.all(Array.from({ length: 100 }, (_, n) => gallery.addImage("c", `s${g}-${n % 30}`, vector)))
    );
    await Promise.all(changes);
    await Promise.all(galleries.map((gallery) => gallery.close()));
    const again = await open(path);
    assert.deepEqual(await again.collection("c"), { collection: "c", subjects: 60, images: 200 });
    await again.close();
  }));

Deno.test("a collection that takes many transactions to remove is gone at once, and for good", () =>
  inFolder(async (path) => {
    const gallery = await open(path);
    const thumbnail = new Uint8Array(5_000).fill(7);
    await Promise.all(
      Array.from({ length: 1_500 }, (_, n) => gallery.addImage("c", `s${n % 7}`, vector, { thumbnail })),
    );
    await gallery.deleteSubject("c", "s0");
    await gallery.deleteCollection("c");
    await gallery.addImage("c", "s0", other);
    assert.deepEqual(await gallery.collection("c"), { collection: "c", subjects: 1, images: 1 });
    await gallery.close();
    const kv = await Deno.openKv(path);
    const kinds = await Array.fromAsync(kv.list({ prefix: ["triptych"] }), ({ key }) => key[1]);
    kv.close();
    const counts = Object.groupBy(kinds, String);
    assert.deepEqual([counts.subject?.length, counts.image?.length, counts.garbage], [1, 1, undefined]);
  }));

Deno.test("what has expired is removed from Deno KV by the next change, however much it is", () =>
  inFolder(async (path) => {
    let now = 0;
    const gallery = await openKvGallery({ path, model: EMPTY, now: () => now });
    const expiresAt = "2026-01-02T00:00:00.000Z";
    await Promise.all(
      Array.from({ length: 250 }, (_, n) => gallery.putSubject("c", `s${n}`, { metadata: {}, expiresAt })),
    );
    now = Date.parse(expiresAt);
    assert.equal((await gallery.collection("c")).subjects, 0);
    for (let n = 0; n < 3; n++) await gallery.putCollection(`d${n}`);
    await gallery.close();
    const kv = await Deno.openKv(path);
    assert.deepEqual(await Array.fromAsync(kv.list({ prefix: ["triptych", "subject"] })), []);
    kv.close();
  }));

Deno.test("a gallery in Deno KV of another model, or no gallery, is refused with what to do", () =>
  inFolder(async (path) => {
    await (await open(path)).close();
    const model = { ...EMPTY, fingerprint: `sha256:${"2".repeat(64)}` };
    const refused = (message: RegExp) => (error: unknown) =>
      error instanceof GalleryError && message.test(error.message);
    await assert.rejects(openKvGallery({ path, model }), refused(/sha256:1{12}.*sha256:2{12}; set TRIPTYCH_MODEL/));
    await Deno.writeTextFile(path, "no database ".repeat(1000));
    await assert.rejects(open(path), refused(/^Cannot open the gallery in .*\.$/));
  }));

Deno.test("more than a transaction of Deno KV takes is restored in several", () =>
  inFolder(async (path) => {
    const gallery = await open(path);
    const subjects = Array.from({ length: 400 }, (_, n) => ({
      ...{ subject: `s${n}`, metadata: { note: "x".repeat(4_000) }, expiresAt: null, revision: `r${n}` },
      images: [{
        image: `i${n}`,
        createdAt: "2025-01-02T03:04:05.000Z",
        embedding: unitVector(random),
      }],
    }));
    await gallery.restore("c", subjects);
    await gallery.close();
    const again = await open(path);
    for (const subject of subjects) assert.deepEqual(await again.subject("c", subject.subject), subject);
    await again.close();
  }));

Deno.test("a Deno without KV is told how to get it, in one sentence", () =>
  inFolder(async (path) => {
    const config = path.replace(/below.*/, "deno.json"), module = new URL(KV_MODULE, import.meta.url).href;
    await Deno.writeTextFile(config, JSON.stringify({ imports: settings.imports }));
    const script = `const { openKvGallery } = await import("${module}");
      await openKvGallery({ model: { dimensions: 1 } }).catch(({ message }) => console.log(message));`;
    const args = ["eval", "--quiet", "--no-lock", "--config", config, script];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
    assert.match(new TextDecoder().decode(stdout), /^This runtime offers no Deno KV; [^\n]*--unstable-kv[^\n]*\.\n$/);
  }));
