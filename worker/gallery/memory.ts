import type { Card } from "../../shared/card.ts";
import type { GallerySnapshot } from "../../shared/snapshot.ts";
import type { Gallery } from "./gallery.ts";
import { createIndexedGallery } from "./indexed.ts";
import { recordsOf } from "./records.ts";

/** What a gallery in memory is made of. */
export interface MemoryGalleryOptions {
  /** What the gallery holds at first; also says of which model it is. */
  snapshot: GallerySnapshot;
  /** Milliseconds since 1970, the default is the clock. */
  now?: () => number;
}

/** A gallery in memory alone, with exact search. */
export function createMemoryGallery({ snapshot, now = Date.now }: MemoryGalleryOptions): Gallery {
  const records = recordsOf(snapshot, now);
  records.forget();
  // deno-lint-ignore require-await
  const transact = async (make: () => void) => {
    make();
    if (records.mark > 0) records.purge();
  };
  return createIndexedGallery({ records, store: { transact }, now });
}

/** A gallery for a model with nothing in it, in memory alone. */
export function emptyGallery(card: Pick<Card, "fingerprint" | "embedding">): Gallery {
  return createMemoryGallery({ snapshot: emptySnapshot(card) });
}

/** What a gallery holds that nobody is enrolled in. */
export function emptySnapshot({ fingerprint, embedding }: Pick<Card, "fingerprint" | "embedding">): GallerySnapshot {
  return { fingerprint, dimensions: embedding.dimensions, collections: [] };
}
