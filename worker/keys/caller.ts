import type { Permits } from "./authorize.ts";
import { hasScope, type Key } from "./key.ts";
import type { Limited } from "./rate_limit.ts";

/** What the sender of a request may see. */
export interface Caller {
  /** Which collections it may see and change. One that a path or a query names has been asked for already. */
  permits: Permits;
  /** Whether it sees distances, or only the bands in which they lie. */
  seesScores: boolean;
  /** For an answer that tells how near a subject is. @throws {Problem} 429 if the key was told too often */
  countSubject(collection: string, subject: string): void;
}

/** The caller of a worker without keys, or of a route that needs none. */
export const EVERYBODY: Caller = { permits: () => true, seesScores: true, countSubject: () => {} };

/** @param take counts one of what has a limit */
export function callerOf(key: Key, take: (limited: Limited) => unknown): Caller {
  return {
    permits: (collection) => key.collections?.has(collection) ?? true,
    seesScores: hasScope(key, "scores"),
    countSubject: (...subject) => take({ id: JSON.stringify([key.id, ...subject]), rate: key.subjectRate }),
  };
}
