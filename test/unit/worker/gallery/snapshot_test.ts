import assert from "node:assert/strict";
import { GalleryError } from "../../../../shared/errors.ts";
import { replaceFile } from "../../../../shared/replace_file.ts";
import { encodeSnapshot } from "../../../../shared/encode_snapshot.ts";
import { type Gallery, ReadOnlyError } from "../../../../worker/gallery/gallery.ts";
import { openGallery } from "../../../../worker/gallery/open.ts";
import type { LogEntry } from "../../../../worker/middleware/request_log.ts";
import { CARD, EMPTY, randomFrom, subjectOf, unitVector } from "./records.ts";

const vector = unitVector(randomFrom(1));
const CREATED_AT = "2026-01-02T03:04:05.000Z";

/** The parts of a snapshot in which `names` are, each with one image. */
function partsWith(...names: string[]): Uint8Array[] {
  const subjects = names.map((name) => {
    const record = subjectOf(name, vector);
    return { ...record, images: record.images.map((image) => ({ ...image, createdAt: CREATED_AT })) };
  });
  return [...encodeSnapshot({ ...EMPTY, collections: [{ collection: "c", subjects }] })];
}

async function withSnapshot(
  test: (gallery: Gallery, path: string, log: LogEntry[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-snapshot-" }), path = `${folder}/g.snapshot`;
  const log: LogEntry[] = [];
  try {
    await replaceFile(path, partsWith("lime"));
    const gallery = await openGallery({ kind: "snapshot", location: path }, CARD, (entry) => log.push(entry));
    await test(gallery, path, log);
    await gallery.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a gallery on a snapshot answers every change with ReadOnlyError, and stays as it is", () =>
  withSnapshot(async (gallery) => {
    const record = await gallery.subject("c", "lime");
    const changes = [
      gallery.putCollection("d"),
      gallery.deleteCollection("c"),
      gallery.putSubject("c", "lime", { metadata: {}, expiresAt: null }),
      gallery.deleteSubject("c", "lime"),
      gallery.addImage("c", "lime", vector),
      gallery.deleteImage("c", "lime", "lime-0"),
      gallery.restore("c", [record]),
    ];
    for (const change of changes) await assert.rejects(change, ReadOnlyError);
    assert.equal(gallery.isReadOnly, true);
    assert.deepEqual(await gallery.snapshot(), [
      { collection: "c", subjects: [record] },
      { collection: "default", subjects: [] },
    ]);
  }));

Deno.test("who watches a gallery on a snapshot is told of a new file, and the log of a bad one, once", () =>
  withSnapshot(async (gallery, path, log) => {
    const stop = new AbortController();
    const versions = gallery.watch(stop.signal)[Symbol.asyncIterator]();
    const next = versions.next();
    const before = await gallery.version();
    await replaceFile(path, partsWith("lime", "plum"));
    assert.notEqual((await next).value, before);
    assert.equal((await gallery.collection("c")).subjects, 2);
    stop.abort();
    await replaceFile(path, [new TextEncoder().encode("no snapshot")]);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.equal((await gallery.collection("c")).subjects, 2);
    assert.deepEqual(log.map(({ level }) => level), ["info", "error"]);
    assert.match(log[1].message, /^The snapshot in \S+ is no snapshot of a gallery, or is cut off; export it again\.$/);
  }));

Deno.test("a snapshot that is not there is refused with what to do", async () => {
  await assert.rejects(
    openGallery({ kind: "snapshot", location: "missing/g.snapshot" }, CARD),
    (error) =>
      error instanceof GalleryError && /^Cannot read the snapshot in missing\/g\.snapshot: /.test(error.message),
  );
});
