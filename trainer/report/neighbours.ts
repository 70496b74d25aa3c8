import { squaredDistance } from "../../shared/distance.ts";
import type { Labelled } from "../metrics/mod.ts";

/** What a query finds nearest to itself among all other images. */
export interface Neighbours {
  /** Row of the query. */
  readonly query: number;
  /** Nearest image of its identity, if there is another. */
  readonly right: Neighbour | undefined;
  /** Nearest image of another identity, if there is one. */
  readonly wrong: Neighbour | undefined;
  /** Whether the right one is nearer; a tie counts against, as in recall@1. */
  readonly found: boolean;
}

/** An image and how far it is from the query. */
export interface Neighbour {
  readonly row: number;
  readonly distance: number;
}

/**
 * The nearest image of the same and of another identity, for every row. Time grows with the square of the rows.
 *
 * @returns in the order of the rows
 */
export function neighboursOf({ embeddings, labels }: Labelled): Neighbours[] {
  const images = labels.length, dimensions = embeddings.length / images;
  const rows = Array.from(labels, (_, i) => embeddings.subarray(i * dimensions, (i + 1) * dimensions));
  const nothing = () => ({ row: new Int32Array(images), squared: new Float64Array(images).fill(Infinity) });
  const right = nothing(), wrong = nothing();
  const offer = ({ row, squared }: ReturnType<typeof nothing>, query: number, other: number, distance: number) => {
    if (distance >= squared[query]) return;
    squared[query] = distance;
    row[query] = other;
  };
  for (let i = 0; i < images; i++) {
    for (let j = i + 1; j < images; j++) {
      const distance = squaredDistance(rows[i], rows[j]), nearest = labels[i] === labels[j] ? right : wrong;
      offer(nearest, i, j, distance);
      offer(nearest, j, i, distance);
    }
  }
  const neighbour = ({ row, squared }: ReturnType<typeof nothing>, query: number) =>
    squared[query] === Infinity ? undefined : { row: row[query], distance: Math.sqrt(squared[query]) };
  return rows.map((_, query) => ({
    query,
    right: neighbour(right, query),
    wrong: neighbour(wrong, query),
    found: right.squared[query] < wrong.squared[query],
  }));
}

/** A query that is taken, or nearly taken, for another identity. */
export interface Confusion {
  readonly query: number;
  readonly right: Neighbour;
  readonly wrong: Neighbour;
  readonly found: boolean;
}

/**
 * The queries whose nearest wrong image is nearest by comparison to the nearest right one, hardest first: those that were
 * confused, or, where none was, those that came closest to it.
 */
export function hardestConfusions(neighbours: readonly Neighbours[], count: number): Confusion[] {
  const comparable = neighbours.filter((n): n is Confusion => n.right !== undefined && n.wrong !== undefined);
  const confused = comparable.filter((n) => !n.found);
  const gap = ({ right, wrong }: Confusion) => right.distance - wrong.distance;
  return (confused.length > 0 ? confused : comparable).sort((a, b) => gap(b) - gap(a)).slice(0, count);
}

/** How well one identity is found. */
export interface IdentityFigures {
  readonly identity: number;
  readonly images: number;
  /** Share of its images whose nearest neighbour is one of its own; null for a single image, which has nothing to find. */
  readonly recallAt1: number | null;
  /** The identity that its images are most often taken for, and how often. */
  readonly takenFor: { identity: number; times: number } | null;
}

/** The identities' figures, worst first. */
export function identityFigures(neighbours: readonly Neighbours[], labels: ArrayLike<number>): IdentityFigures[] {
  const rows = new Map<number, Neighbours[]>();
  for (const neighbour of neighbours) {
    const label = labels[neighbour.query], queries = rows.get(label);
    if (queries) queries.push(neighbour);
    else rows.set(label, [neighbour]);
  }
  const figures = [...rows].map(([identity, queries]) => ({
    identity,
    images: queries.length,
    recallAt1: queries.length < 2 ? null : queries.filter(({ found }) => found).length / queries.length,
    takenFor: queries.length < 2 ? null : mostOften(
      queries.filter(({ found, wrong }) => !found && wrong).map(({ wrong }) => labels[wrong!.row]),
    ),
  }));
  return figures.sort((a, b) => (a.recallAt1 ?? 2) - (b.recallAt1 ?? 2) || b.images - a.images);
}

function mostOften(labels: number[]): { identity: number; times: number } | null {
  const times = new Map<number, number>();
  for (const label of labels) times.set(label, (times.get(label) ?? 0) + 1);
  const [first] = [...times].sort((a, b) => b[1] - a[1]);
  return first ? { identity: first[0], times: first[1] } : null;
}
