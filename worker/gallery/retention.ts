import type { Card } from "../../shared/card.ts";

/** For how many days faces are kept if nothing else is said. */
export const FACE_RETENTION = 90;

const DAY = 24 * 60 * 60 * 1000;

/**
 * When a subject expires for which nothing else is said.
 *
 * @param days after which, 0 for never; default: never, but faces after `FACE_RETENTION`
 * @param now milliseconds since 1970
 * @returns ISO 8601, UTC; null for never
 */
export function expiryOf({ domain }: Pick<Card, "domain">, days: number | undefined, now: number): string | null {
  const kept = days ?? (domain === "face" ? FACE_RETENTION : 0);
  return kept === 0 ? null : new Date(now + kept * DAY).toISOString();
}
