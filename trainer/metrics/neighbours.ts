/** What a query finds nearest to itself in a gallery, which may be all the other images. */
export interface Neighbours {
  /** Row of the query. */
  readonly query: number;
  /** Nearest image of its identity, if there is one. */
  readonly right: Neighbour | undefined;
  /** Nearest image of another identity, if there is one. */
  readonly wrong: Neighbour | undefined;
  /** Whether the right one is nearer; a tie counts against, as in recall@1. */
  readonly found: boolean;
}

/** An image and how far it is from the query. */
export interface Neighbour {
  /** Row of the gallery. */
  readonly row: number;
  readonly distance: number;
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
  /** Queries of the identity. */
  readonly images: number;
  /** Share of its queries whose nearest image is one of its own; null where there is nothing to find. */
  readonly recallAt1: number | null;
  /** The identity that its images are most often taken for, and how often. */
  readonly takenFor: { identity: number; times: number } | null;
}

/**
 * The identities' figures, worst first.
 *
 * @param labels identity of each query
 * @param galleryLabels identity of each row of the gallery, where the queries are not the gallery themselves
 */
export function identityFigures(
  neighbours: readonly Neighbours[],
  labels: ArrayLike<number>,
  galleryLabels = labels,
): IdentityFigures[] {
  const figures = [...queriesByIdentity(neighbours, labels)].map(([identity, queries]) => {
    const mated = queries.filter(({ right }) => right);
    return {
      identity,
      images: queries.length,
      recallAt1: mated.length === 0 ? null : mated.filter(({ found }) => found).length / mated.length,
      takenFor: mostOften(
        mated.filter(({ found, wrong }) => !found && wrong).map(({ wrong }) => galleryLabels[wrong!.row]),
      ),
    };
  });
  return figures.sort((a, b) => (a.recallAt1 ?? 2) - (b.recallAt1 ?? 2) || b.images - a.images);
}

/** An identity of which some image is taken for another identity. */
export interface IdentityFailures extends IdentityFigures {
  /** The queries that were confused, the one that is missed by most first. */
  readonly failures: readonly Confusion[];
}

/**
 * The identities of which some query that has something to find does not find it, worst first, with those queries.
 *
 * @param labels identity of each query
 * @param galleryLabels identity of each row of the gallery, where the queries are not the gallery themselves
 */
export function failuresOf(
  neighbours: readonly Neighbours[],
  labels: ArrayLike<number>,
  galleryLabels = labels,
): IdentityFailures[] {
  const queries = queriesByIdentity(neighbours, labels);
  return identityFigures(neighbours, labels, galleryLabels)
    .filter(({ recallAt1 }) => recallAt1 !== null && recallAt1 < 1)
    .map((figures) => ({ ...figures, failures: hardestConfusions(queries.get(figures.identity)!, Infinity) }));
}

function queriesByIdentity(neighbours: readonly Neighbours[], labels: ArrayLike<number>): Map<number, Neighbours[]> {
  return Map.groupBy(neighbours, ({ query }) => labels[query]);
}

function mostOften(labels: number[]): { identity: number; times: number } | null {
  const times = new Map<number, number>();
  for (const label of labels) times.set(label, (times.get(label) ?? 0) + 1);
  const [first] = [...times].sort((a, b) => b[1] - a[1]);
  return first ? { identity: first[0], times: first[1] } : null;
}
