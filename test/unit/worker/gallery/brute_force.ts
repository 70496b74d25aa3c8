import { distance } from "../../../../shared/distance.ts";
import type { SearchOptions, SearchResult, SubjectRecord } from "../../../../worker/gallery/gallery.ts";
import { compareNames } from "../../../../worker/gallery/compare_names.ts";

/** What a search has to find: every image compared in double precision, and all subjects sorted. */
export function bruteForce(
  records: readonly SubjectRecord[],
  query: Float32Array,
  { k, exclude }: SearchOptions,
): SearchResult {
  const compared = records.filter((record) => record.images.length > 0 && record.subject !== exclude);
  const all = compared.map(({ subject, images, metadata }) => {
    const distances = images.map(({ embedding }) => distance(embedding, query));
    const nearest = Math.min(...distances);
    return { subject, image: images[distances.indexOf(nearest)].image, distance: nearest, metadata };
  });
  all.sort((a, b) => a.distance - b.distance || compareNames(a.subject, b.subject));
  return { subjects: compared.length, nearest: all.slice(0, k) };
}
