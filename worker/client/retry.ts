/** How often a request is sent again before its 503 is given to the caller. */
const RETRIES = 4;

/**
 * A `fetch` that waits as long as a 503 says, and sends the request again. It ends early when the request is aborted.
 *
 * @param fetch must be able to send the same body again, as it can all but streams
 */
export function retrying(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    for (let attempt = 0;; attempt++) {
      const response = await fetch(input, init);
      if (response.status !== 503 || attempt === RETRIES) return response;
      await response.body?.cancel();
      // Those that were refused together should not come back together.
      const seconds = secondsOf(response.headers.get("retry-after")) * (1 + Math.random() / 4);
      await pause(1000 * seconds, init?.signal);
    }
  };
}

/** The seconds of a `Retry-After`, which may be a date; 1 if there is none that can be read. */
function secondsOf(header: string | null): number {
  const seconds = /^\d+$/.test(header ?? "") ? Number(header) : (Date.parse(header ?? "") - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 1 : Math.max(0, seconds);
}

async function pause(milliseconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await orAborted(new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds)), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What a piece of work gives, or the reason of the abort if that comes first: the work then goes on for others. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return await work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
