import { permutation, type Random, randomStream } from "../random.ts";
import { countLabels, type Labelled, rowsOf } from "./labelled.ts";
import { normalizedMutualInformation } from "./mutual_information.ts";
import { type Rows, squaredDistances } from "./row_distances.ts";

/** Rows in groups about their means. */
export interface Clusters {
  /** Cluster of each row, 0 to `k - 1`. */
  readonly assignment: Int32Array;
  /** Sum of the squared distances of the rows to their cluster's centre. */
  readonly inertia: number;
}

/** Settings of {@linkcode kMeans}. */
export interface KMeansOptions {
  readonly seed: number;
  /** How often to start; the clusters with the least inertia are kept. Default 3. */
  readonly restarts?: number;
  /** The most iterations of each start; default 50. */
  readonly iterations?: number;
}

/**
 * k-means: Lloyd's iterations until no row changes its cluster, from centres that k-means++ draws (Lloyd 1982; Arthur and
 * Vassilvitskii 2007). A cluster that loses all its rows keeps its centre. The result depends on the order of the rows.
 *
 * @param k at most the number of rows
 */
export function kMeans(rows: Rows, k: number, { seed, restarts = 3, iterations = 50 }: KMeansOptions): Clusters {
  let best: Clusters | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const found = lloyd(rows, drawCentres(rows, k, randomStream(seed, "k-means", restart)), iterations);
    if (!best || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/** How well clusters of the embeddings agree with the identities. */
export interface ClusteringFigures {
  /** Normalised mutual information of identities and clusters, 0..1. */
  readonly nmi: number;
  readonly clusters: number;
  readonly images: number;
}

/** What bounds the time: a few seconds for 128 dimensions. */
const MOST_IDENTITIES = 500, MOST_IMAGES = 5000;

/**
 * Clusters embeddings into as many groups as there are identities, and compares the two (Song et al. 2016, Deep metric
 * learning via lifted structured feature embedding). Of more than 500 identities a random 500, and of more than 5000 images of
 * those a random 5000, are clustered, which the result tells. The same seed and order of images give the same figures.
 */
export function clusteringFigures({ embeddings, labels }: Labelled, { seed }: { seed: number }): ClusteringFigures {
  const { values, dimensions } = rowsOf({ embeddings, labels });
  const drawn = drawImages(labels, randomStream(seed, "clustered images"));
  const rows = { values: new Float64Array(drawn.length * dimensions), dimensions };
  drawn.forEach((from, to) =>
    rows.values.set(values.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions)
  );
  const identities = drawn.map((row) => labels[row]), clusters = new Set(identities).size;
  const { assignment } = kMeans(rows, clusters, { seed });
  return { nmi: normalizedMutualInformation(identities, assignment), clusters, images: drawn.length };
}

function drawImages(labels: ArrayLike<number>, random: Random): number[] {
  const identities = [...countLabels(labels).keys()];
  const kept = new Set(permutation(identities.length, random).slice(0, MOST_IDENTITIES).map((i) => identities[i]));
  const rows = Array.from(labels, (_, i) => i).filter((i) => kept.has(labels[i]));
  return permutation(rows.length, random).slice(0, MOST_IMAGES).sort((a, b) => a - b).map((i) => rows[i]);
}

/** k-means++: each next centre is a row drawn by its squared distance to the nearest centre so far. */
function drawCentres(rows: Rows, k: number, random: Random): Rows {
  const { values, dimensions } = rows, n = values.length / dimensions;
  const centres = new Float64Array(k * dimensions);
  const nearest = new Float64Array(n).fill(Infinity);
  let drawn = Math.floor(random() * n);
  for (let c = 0; c < k; c++) {
    const centre = values.subarray(drawn * dimensions, (drawn + 1) * dimensions);
    centres.set(centre, c * dimensions);
    const [squared] = squaredDistances({ values: centre, dimensions }, rows);
    for (let i = 0; i < n; i++) nearest[i] = Math.min(nearest[i], squared[i]);
    drawn = drawByWeight(nearest, random);
  }
  return { values: centres, dimensions };
}

/** Where all weights are 0, the last. */
function drawByWeight(weights: Float64Array, random: Random): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  const drawn = weights.findIndex((weight) => (left -= weight) < 0);
  return drawn < 0 ? weights.length - 1 : drawn;
}

function lloyd(rows: Rows, centres: Rows, iterations: number): Clusters {
  const assignment = new Int32Array(rows.values.length / rows.dimensions).fill(-1);
  let inertia = Infinity;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const { changed, inertia: now } = assign(rows, centres, assignment);
    inertia = now;
    if (!changed) break;
    moveToMeans(centres, rows, assignment);
  }
  return { assignment, inertia };
}

function assign(rows: Rows, centres: Rows, assignment: Int32Array): { changed: boolean; inertia: number } {
  let row = 0, inertia = 0, changed = false;
  for (const squared of squaredDistances(rows, centres)) {
    let nearest = 0;
    for (let c = 1; c < squared.length; c++) if (squared[c] < squared[nearest]) nearest = c;
    changed ||= assignment[row] !== nearest;
    assignment[row++] = nearest;
    inertia += squared[nearest];
  }
  return { changed, inertia };
}

function moveToMeans({ values: centres, dimensions }: Rows, { values }: Rows, assignment: Int32Array): void {
  const sizes = new Float64Array(centres.length / dimensions), sums = new Float64Array(centres.length);
  assignment.forEach((cluster, row) => {
    sizes[cluster]++;
    for (let d = 0; d < dimensions; d++) sums[cluster * dimensions + d] += values[row * dimensions + d];
  });
  for (let at = 0; at < centres.length; at++) {
    const size = sizes[Math.floor(at / dimensions)];
    if (size > 0) centres[at] = sums[at] / size;
  }
}
