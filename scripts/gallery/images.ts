import type { CollectionRecord, ImageRecord } from "../../shared/snapshot.ts";

/** An image, and whose it is. */
export interface PlacedImage {
  collection: string;
  subject: string;
  image: ImageRecord;
}

/** All images of a gallery, in its order. */
export function imagesOf(collections: readonly CollectionRecord[]): PlacedImage[] {
  return collections.flatMap(({ collection, subjects }) =>
    subjects.flatMap(({ subject, images }) => images.map((image) => ({ collection, subject, image })))
  );
}
