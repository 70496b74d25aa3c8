import { UMAP } from "umap-js";
import { permutation, randomStream } from "../random.ts";

/** Images on a plane, near each other where their embeddings are. */
export interface EmbeddingMap {
  /** Rows of the images, ascending. */
  readonly rows: number[];
  /** 0 to 1, the same scale in both directions. */
  readonly x: number[];
  readonly y: number[];
}

const MOST = 2000;
const NEIGHBOURS = 15;

/**
 * Lays embeddings out on a plane with UMAP (McInnes, Healy and Melville 2018), a random sample of 2000 where there are more.
 * The same seed gives the same map.
 *
 * @param embeddings `[images, dim] float32`
 */
export function embeddingMap(embeddings: Float32Array, images: number, seed: number): EmbeddingMap {
  const dimensions = embeddings.length / images;
  const rows = permutation(images, randomStream(seed, "map sample")).slice(0, MOST).sort((a, b) => a - b);
  const vectors = rows.map((row) => Array.from(embeddings.subarray(row * dimensions, (row + 1) * dimensions)));
  return { rows, ...fitUnitSquare(layOut(vectors, seed)) };
}

/** UMAP needs more points than neighbours, and neighbours that differ: what it cannot lay out goes on a circle. */
function layOut(vectors: number[][], seed: number): number[][] {
  if (vectors.length > 4) {
    const random = randomStream(seed, "map");
    const points = new UMAP({ nNeighbors: Math.min(NEIGHBOURS, vectors.length - 1), minDist: 0.2, random }).fit(
      vectors,
    );
    if (points.every((point) => point.every(Number.isFinite))) return points;
  }
  return vectors.map((_, i) => {
    const angle = 2 * Math.PI * i / vectors.length;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

function fitUnitSquare(points: number[][]): { x: number[]; y: number[] } {
  const [x, y] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const range = (values: number[]) => ({ low: Math.min(...values), high: Math.max(...values) });
  const across = range(x), down = range(y);
  const extent = Math.max(across.high - across.low, down.high - down.low) || 1;
  const place = (values: number[], { low, high }: { low: number; high: number }) =>
    values.map((value) => Number(((value - (low + high) / 2) / extent + 0.5).toFixed(4)));
  return { x: place(x, across), y: place(y, down) };
}
