import { Problem } from "../middleware/problem.ts";
import type { Key } from "./key.ts";

const WINDOW_SECONDS = 60;

/**
 * Counts the requests of each key, in windows of a minute that begin with its first request.
 *
 * @param now milliseconds, any origin
 * @returns takes one request of a key, and gives the headers that tell of its limit
 * (draft-ietf-httpapi-ratelimit-headers-10): none if it has no limit. Throws a 429 Problem if the key has none left.
 */
export function createRateLimiter(
  now: () => number = () => performance.now(),
): (key: Key) => Record<string, string> {
  const windows = new Map<string, { start: number; used: number }>();
  return ({ id, rate }) => {
    if (rate === undefined) return {};
    let window = windows.get(id);
    if (window === undefined || now() - window.start >= 1000 * WINDOW_SECONDS) {
      window = { start: now(), used: 0 };
      windows.set(id, window);
    }
    window.used++;
    const left = Math.max(0, rate - window.used);
    const seconds = Math.ceil(WINDOW_SECONDS - (now() - window.start) / 1000);
    const headers = {
      "ratelimit-policy": `"key";q=${rate};w=${WINDOW_SECONDS}`,
      ratelimit: `"key";r=${left};t=${seconds}`,
    };
    if (window.used <= rate) return headers;
    throw new Problem(429, `This key may make ${rate} requests a minute; try again in ${seconds} seconds.`, {
      ...headers,
      "retry-after": String(seconds),
    });
  };
}
