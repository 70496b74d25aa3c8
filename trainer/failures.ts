import type { Confusion, IdentityFailures } from "./metrics/mod.ts";

/** An identity of which some photos are taken for another. */
export interface NamedFailures {
  identity: string;
  photos: number;
  recallAt1: number;
  failures: NamedFailure[];
}

/** A photo that is nearer to one of another identity than to any of its own. */
export interface NamedFailure {
  photo: string;
  takenFor: { identity: string; photo: string; distance: number };
  nearestOwn: { photo: string; distance: number };
}

/** Gives failures the names of their photos, where they have the rows of probes and of a gallery. */
export function nameFailures(
  all: readonly IdentityFailures[],
  probes: Named[],
  gallery: Named[],
): NamedFailures[] {
  const failure = ({ query, wrong, right }: Confusion): NamedFailure => ({
    photo: probes[query].name,
    takenFor: { identity: gallery[wrong.row].identity, photo: gallery[wrong.row].name, distance: wrong.distance },
    nearestOwn: { photo: gallery[right.row].name, distance: right.distance },
  });
  return all.map(({ images, recallAt1, failures }) => ({
    identity: probes[failures[0].query].identity,
    photos: images,
    recallAt1: recallAt1!,
    failures: failures.map(failure),
  }));
}

/** A photo's path within its data set, and who or what is on it. */
interface Named {
  readonly identity: string;
  readonly name: string;
}
