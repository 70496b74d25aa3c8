import assert from "node:assert/strict";
import { GalleryError } from "../../../../shared/errors.ts";
import { decodeSnapshot, type GallerySnapshot } from "../../../../shared/snapshot.ts";
import { UnknownError } from "../../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { openGallery } from "../../../../worker/gallery/open.ts";
import { CARD, EMPTY, randomFrom, unitVector } from "./records.ts";

const vector = unitVector(randomFrom(1));

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-gallery-" });
  try {
    await test(`${folder}/below/gallery.snapshot`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a gallery in a snapshot file is the same when it is opened again", () =>
  inFolder(async (path) => {
    const location = { kind: "snapshot", path } as const;
    const gallery = await openGallery(location, CARD);
    await gallery.addImage("fruit", "lime", vector, { request: { key: "k", digest: "d" } });
    await gallery.putSubject("fruit", "plum", { metadata: { tags: ["x"] }, expiresAt: "2999-01-01T00:00:00.000Z" });
    await gallery.addImage("fruit", "gone", vector);
    await gallery.deleteSubject("fruit", "gone");
    await gallery.close();
    const again = await openGallery(location, CARD);
    assert.deepEqual(await again.collections(), await gallery.collections());
    for (const subject of ["lime", "plum"]) {
      assert.deepEqual(await again.subject("fruit", subject), await gallery.subject("fruit", subject));
    }
    await assert.rejects(again.subject("fruit", "gone"), UnknownError);
    await again.close();
  }));

Deno.test("a change is in the file by the time it is acknowledged, and no other file is left but its lock", () =>
  inFolder(async (path) => {
    await (await openGallery({ kind: "snapshot", path }, CARD)).close();
    await Deno.writeTextFile(`${path}.12345.new`, "of a process that was killed while it wrote");
    const gallery = await openGallery({ kind: "snapshot", path }, CARD);
    for (let i = 0; i < 5; i++) {
      await gallery.addImage("c", `s${i}`, vector);
      const { collections } = await decodeSnapshot(await Deno.readFile(path), path);
      assert.ok(collections.some(({ subjects }) => subjects.some(({ subject }) => subject === `s${i}`)));
    }
    const files = await Array.fromAsync(Deno.readDir(path.replace(/\/[^/]+$/, "")));
    assert.deepEqual(files.map(({ name }) => name).sort(), ["gallery.snapshot", "gallery.snapshot.lock"]);
    await gallery.close();
  }));

Deno.test("a snapshot of another model is refused with what to do", () =>
  inFolder(async (path) => {
    await (await openGallery({ kind: "snapshot", path }, CARD)).close();
    const other = { ...CARD, fingerprint: `sha256:${"2".repeat(64)}` };
    await assert.rejects(
      openGallery({ kind: "snapshot", path }, other),
      (error) => error instanceof GalleryError && /sha256:1{12}.*sha256:2{12}.*set TRIPTYCH_MODEL/.test(error.message),
    );
    // What was refused holds nothing.
    await (await openGallery({ kind: "snapshot", path }, CARD)).close();
  }));

Deno.test("a snapshot that cannot be written is found when the gallery is opened", () =>
  inFolder(async (path) => {
    await Deno.writeTextFile(path.replace(/\/below.*/, "/below"), "a file where a folder should be");
    await assert.rejects(openGallery({ kind: "snapshot", path }, CARD), GalleryError);
  }));

Deno.test("a gallery in memory leaves no trace", () =>
  inFolder(async (path) => {
    const gallery = await openGallery({ kind: "memory" }, CARD);
    await gallery.addImage("c", "s", vector);
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  }));

Deno.test("changes that arrive while one is written share the next write", async () => {
  let writes = 0;
  const persist = () => (writes++, new Promise<void>((done) => setTimeout(done, 1)));
  const gallery = createMemoryGallery({ snapshot: EMPTY, persist });
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
  const written: GallerySnapshot[] = [];
  const gallery = createMemoryGallery({
    snapshot: EMPTY,
    // deno-lint-ignore require-await
    persist: async (snapshot) => {
      if (isFull) throw new GalleryError("the disk is full");
      written.push(snapshot);
    },
  });
  const { image } = await gallery.addImage("c", "kept", vector);
  const before = await gallery.subject("c", "kept");
  isFull = true;
  const changes = [
    gallery.addImage("c", "kept", vector),
    gallery.addImage("new", "lost", vector),
    gallery.deleteImage("c", "kept", image),
    gallery.deleteSubject("c", "kept"),
    gallery.deleteCollection("c"),
    gallery.deleteCollection("default"),
  ];
  for (const change of changes) await assert.rejects(change, /the disk is full/);
  assert.deepEqual(await gallery.subject("c", "kept"), before);
  await assert.rejects(gallery.subject("new", "lost"), /no collection "new"/);
  isFull = false;
  await gallery.addImage("c", "after", vector);
  const names = written.at(-1)?.collections.flatMap(({ subjects }) => subjects.map(({ subject }) => subject));
  assert.deepEqual(names, ["kept", "after"]);
});

Deno.test("a change that is refused takes no other of its batch with it, and what changes nothing writes nothing", async () => {
  let writes = 0;
  const gallery = createMemoryGallery({ snapshot: EMPTY, persist: () => Promise.resolve(void writes++) });
  const outcomes = await Promise.allSettled([
    gallery.addImage("c", "a", vector),
    gallery.deleteSubject("c", "unknown"),
    gallery.addImage("c", "b", vector),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.equal(writes, 1);
  await assert.rejects(gallery.deleteSubject("c", "unknown"), UnknownError);
  await gallery.putCollection("c");
  assert.equal(writes, 1);
});
