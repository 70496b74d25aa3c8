import { squaredDistance } from "../../shared/distance.ts";
import { compareNames } from "./compare_names.ts";
import type { Neighbour, SubjectRecord } from "./gallery.ts";

/**
 * Exact search: the subjects whose nearest image lies nearest, ties in the order of `compareNames`.
 *
 * @param subjects those to compare, each with at least one image
 * @param embedding `[dim] float32`, unit length
 */
export function nearestSubjects(subjects: Iterable<SubjectRecord>, embedding: Float32Array, k: number): Neighbour[] {
  const nearest: { record: SubjectRecord; image: string; squared: number }[] = [];
  for (const record of subjects) {
    let squared = Infinity, image = "";
    for (const candidate of record.images) {
      const at = squaredDistance(candidate.embedding, embedding);
      if (at < squared) [squared, image] = [at, candidate.image];
    }
    const found = { record, image, squared };
    if (nearest.length === k && !before(found, nearest[k - 1])) continue;
    nearest.splice(placeOf(nearest, (other) => before(found, other)), 0, found);
    if (nearest.length > k) nearest.pop();
  }
  return nearest.map(({ record, image, squared }) => ({
    subject: record.subject,
    image,
    distance: Math.sqrt(squared),
    metadata: record.metadata,
  }));
}

function before(
  a: { squared: number; record: SubjectRecord },
  b: { squared: number; record: SubjectRecord },
): boolean {
  return a.squared < b.squared || (a.squared === b.squared && compareNames(a.record.subject, b.record.subject) < 0);
}

/** Where the first item is of which `isAfter` holds, by bisection. */
function placeOf<T>(items: T[], isAfter: (item: T) => boolean): number {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(items[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
