import assert from "node:assert/strict";
import type { GallerySnapshot } from "../../../../shared/snapshot.ts";
import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { declareConformance } from "./conformance.ts";
import { EMPTY, randomFrom, unitVector } from "./records.ts";

declareConformance("memory", (clock, test) => test(createMemoryGallery({ snapshot: EMPTY, now: () => clock.now })));

Deno.test("what has expired is not written again", async () => {
  let now = 0;
  const written: GallerySnapshot[] = [];
  const gallery = createMemoryGallery({
    snapshot: EMPTY,
    now: () => now,
    persist: (snapshot) => Promise.resolve(void written.push(snapshot)),
  });
  await gallery.putSubject("c", "guest", { metadata: {}, expiresAt: "2026-01-02T00:00:00.000Z" });
  now = Date.parse("2026-01-02T00:00:00Z");
  await gallery.addImage("c", "other", unitVector(randomFrom(5)));
  assert.deepEqual(written.at(-1)?.collections[0].subjects.map(({ subject }) => subject), ["other"]);
});
