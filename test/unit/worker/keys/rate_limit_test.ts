import assert from "node:assert/strict";
import { parseKeys } from "../../../../worker/keys/key_source.ts";
import { createRateLimiter } from "../../../../worker/keys/rate_limit.ts";
import { Problem } from "../../../../worker/middleware/problem.ts";

const [first, second] = (await parseKeys("match:a,match:b")()).map((key) => ({ ...key, rate: 2 }));

Deno.test("createRateLimiter() lets a key make its requests in every minute that begins with one, each key by itself", () => {
  let seconds = 0;
  const take = createRateLimiter("key", () => 1000 * seconds);
  const left = () => take(first).ratelimit;
  assert.equal(left(), '"key";r=1;t=60');
  seconds = 20.5;
  assert.equal(left(), '"key";r=0;t=40');
  assert.throws(
    left,
    (error) => error instanceof Problem && error.status === 429 && error.headers["retry-after"] === "40",
  );
  assert.equal(take(second).ratelimit, '"key";r=1;t=60');
  seconds = 59.9;
  assert.throws(left, (error) => error instanceof Problem && error.headers["retry-after"] === "1");
  seconds = 60;
  assert.equal(left(), '"key";r=1;t=60');
});

Deno.test("createRateLimiter() tells nothing of a key that has no limit, and never refuses it", () => {
  const take = createRateLimiter("subject");
  for (let i = 0; i < 1000; i++) assert.deepEqual(take({ ...first, rate: undefined }), {});
});
