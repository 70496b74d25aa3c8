import type { Gallery } from "../../../worker/gallery/gallery.ts";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import type { Contender } from "./contender.ts";
import { DIMENSIONS, vectorOf } from "./vectors.ts";

const COLLECTION = "default";
/** How many enrolments are under way at once. */
const TOGETHER = 1000;

/** The gallery of this project in the process of the worker, searched as a route does. */
export const gallery: Contender = {
  name: "gallery",
  async build(vectors) {
    const gallery = await enrolled(vectors.count, (i) => vectorOf(vectors, i));
    return {
      async search(query, k) {
        const { nearest } = await gallery.search(COLLECTION, query, { k });
        return nearest.map(({ subject }) => Number(subject.slice(1)));
      },
      close: () => gallery.close(),
    };
  },
};

/** A gallery in memory with so many subjects of one image each. Nothing of the vectors is held. */
export async function enrolled(count: number, vectorAt: (index: number) => Float32Array): Promise<Gallery> {
  const gallery = createMemoryGallery({
    snapshot: { fingerprint: "sha256:benchmark", dimensions: DIMENSIONS, collections: [] },
  });
  for (let first = 0; first < count; first += TOGETHER) {
    const some = Array.from({ length: Math.min(TOGETHER, count - first) }, (_, i) => first + i);
    await Promise.all(some.map((i) => gallery.addImage(COLLECTION, nameOf(i), vectorAt(i))));
  }
  return gallery;
}

function nameOf(index: number): string {
  return `s${String(index).padStart(8, "0")}`;
}
