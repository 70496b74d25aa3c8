import assert from "node:assert/strict";
import { retrying } from "../../../../worker/client/retry.ts";

/** How long a second request is after the first, if that is answered 503 with a header. */
async function waitAfter(retryAfter: string | null): Promise<number> {
  const times: number[] = [];
  const fetch = retrying(() => {
    times.push(performance.now());
    const headers = new Headers(retryAfter === null ? {} : { "retry-after": retryAfter });
    return Promise.resolve(new Response(null, times.length === 1 ? { status: 503, headers } : { status: 200 }));
  });
  assert.equal((await fetch("http://localhost")).status, 200);
  assert.equal(times.length, 2);
  return times[1] - times[0];
}

Deno.test("retrying() waits the seconds of Retry-After or until its date, and up to a quarter more; a second if there is none", async () => {
  const inTwoSeconds = new Date(Date.now() + 2_500).toUTCString();
  const [none, unreadable, two, date, past] = await Promise.all(
    [null, "soon", "2", inTwoSeconds, new Date(0).toUTCString()].map(waitAfter),
  );
  const between = (wait: number, from: number, to: number) => assert.ok(wait >= from && wait < to, `${wait} ms`);
  between(none, 990, 1_500);
  between(unreadable, 990, 1_500);
  between(two, 1_990, 2_750);
  between(date, 1_400, 3_500);
  between(past, 0, 250);
});

Deno.test("retrying() gives every other status to the caller at once", async () => {
  for (const status of [200, 204, 400, 429, 500, 502]) {
    const fetch = retrying(() => Promise.resolve(new Response(null, { status, headers: { "retry-after": "9" } })));
    assert.equal((await fetch("http://localhost")).status, status);
  }
});
