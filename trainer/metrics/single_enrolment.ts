import { countLabels, type Labelled, rowsOf } from "./labelled.ts";
import { squaredDistances } from "./row_distances.ts";

/**
 * Rank-1 identification with one image of each identity enrolled: the share of the other images whose nearest enrolled image
 * is of their identity, as the mean over all choices of the enrolled images. The choices of two identities are independent,
 * so that mean is exact: for each image of the probe's identity, the product over the others of the share of their images
 * that lie farther. A tie counts against. Time grows with the square of the images.
 *
 * @param images those that were missed are found by none and find none
 * @returns NaN if no identity has two images
 */
export function rankOneOfSingleEnrolment(images: Labelled): number {
  const { labels, missed = [] } = images, rows = rowsOf(images);
  const sizes = countLabels([...Array.from(labels), ...Array.from(missed)]);
  const order = Uint32Array.from(labels, (_, i) => i);
  let sum = 0, probe = 0;
  for (const squared of squaredDistances(rows, rows)) {
    const others = sizes.get(labels[probe])! - 1;
    if (others > 0) sum += winsOf(probe, squared, order, labels, sizes) / others;
    probe++;
  }
  const probes = [...sizes.values()].reduce((count, size) => size > 1 ? count + size : count, 0);
  return sum / probes;
}

/** The sum, over the images of the probe's identity, of how probable it is that no enrolled image is as near. */
function winsOf(
  probe: number,
  squared: Float64Array,
  order: Uint32Array,
  labels: ArrayLike<number>,
  sizes: ReadonlyMap<number, number>,
): number {
  const own = labels[probe], farther = new Map(sizes);
  // At equal distance the other identity comes first.
  order.sort((a, b) => squared[a] - squared[b] || Number(labels[a] === own) - Number(labels[b] === own));
  let wins = 0, probability = 1;
  for (const row of order) {
    if (row === probe) continue;
    const label = labels[row];
    if (label === own) {
      wins += probability;
    } else {
      const left = farther.get(label)!;
      probability *= (left - 1) / left;
      farther.set(label, left - 1);
      if (left === 1) break;
    }
  }
  return wins;
}
