import { Problem } from "../middleware/problem.ts";

const WINDOW_SECONDS = 60;
/** Windows that are kept before those that are over are looked for. */
const MANY = 10_000;

/** What a limit counts, and the name of its policy: requests of a key, or its answers that tell of one subject. */
const COUNTED = { key: "make", subject: "ask for the same subject in" } as const;

/** Who has a limit, and how many a minute; undefined for none. */
export interface Limited {
  id: string;
  rate?: number | undefined;
}

/**
 * Counts for each that has a limit, in windows of a minute that begin with the first.
 *
 * @param now milliseconds, any origin
 * @returns takes one, and gives the headers that tell of the limit (draft-ietf-httpapi-ratelimit-headers-10): none if there
 * is no limit. Throws a 429 Problem if there is none left.
 */
export function createRateLimiter(
  counted: keyof typeof COUNTED,
  now: () => number = () => performance.now(),
): (limited: Limited) => Record<string, string> {
  const windows = new Map<string, { start: number; used: number }>();
  const isOver = ({ start }: { start: number }) => now() - start >= 1000 * WINDOW_SECONDS;
  const windowOf = (id: string) => {
    const window = windows.get(id);
    if (window !== undefined && !isOver(window)) return window;
    if (windows.size >= MANY) { for (const [other, window] of windows) if (isOver(window)) windows.delete(other); }
    const fresh = { start: now(), used: 0 };
    windows.set(id, fresh);
    return fresh;
  };
  return ({ id, rate }) => {
    if (rate === undefined) return {};
    const window = windowOf(id);
    window.used++;
    const left = Math.max(0, rate - window.used);
    const seconds = Math.ceil(WINDOW_SECONDS - (now() - window.start) / 1000);
    const headers = {
      "ratelimit-policy": `"${counted}";q=${rate};w=${WINDOW_SECONDS}`,
      ratelimit: `"${counted}";r=${left};t=${seconds}`,
    };
    if (window.used <= rate) return headers;
    throw new Problem(
      429,
      `This key may ${COUNTED[counted]} ${rate} requests a minute; try again in ${seconds} seconds.`,
      { ...headers, "retry-after": String(seconds) },
    );
  };
}
