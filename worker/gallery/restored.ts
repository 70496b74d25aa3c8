import { ulid } from "ulid";
import type { SubjectRecord } from "./gallery.ts";

/**
 * A subject after `Gallery.restore`: as it was elsewhere if it is new or replaced; otherwise with the images from there which
 * it lacks.
 *
 * @returns `previous` itself if nothing is to be changed
 */
export function restored(
  previous: SubjectRecord | undefined,
  elsewhere: SubjectRecord,
  replace: boolean,
): SubjectRecord {
  if (previous === undefined) return elsewhere;
  if (replace) return previous.revision === elsewhere.revision ? previous : elsewhere;
  const known = new Set(previous.images.map(({ image }) => image));
  const missing = elsewhere.images.filter(({ image }) => !known.has(image));
  if (missing.length === 0) return previous;
  return { ...previous, revision: ulid(), images: [...previous.images, ...missing] };
}
