import assert from "node:assert/strict";
import { createHistogram } from "../../../../worker/metrics/histogram.ts";

Deno.test("createHistogram() counts each duration in all buckets whose bound it does not pass", () => {
  const histogram = createHistogram("wait", "How long.");
  for (const seconds of [0.0001, 0.003, 0.05, 100]) histogram.observe('route="/a"', seconds);
  const lines = histogram.lines();
  assert.deepEqual(lines.slice(0, 2), ["# HELP wait_seconds How long.", "# TYPE wait_seconds histogram"]);
  const buckets = lines.flatMap((line) => {
    const [, bound, count] = /^wait_seconds_bucket\{route="\/a",le="(.+)"\} (\d+)$/.exec(line) ?? [];
    return bound === undefined ? [] : [[bound, count]];
  });
  assert.deepEqual(Object.fromEntries(buckets), {
    "0.0001": "1",
    "0.0005": "1",
    "0.001": "1",
    "0.0025": "1",
    "0.005": "2",
    "0.01": "2",
    "0.025": "2",
    "0.05": "3",
    "0.1": "3",
    "0.25": "3",
    "0.5": "3",
    "1": "3",
    "2.5": "3",
    "5": "3",
    "10": "3",
    "+Inf": "4",
  });
  assert.deepEqual(lines.slice(-2), ['wait_seconds_sum{route="/a"} 100.0531', 'wait_seconds_count{route="/a"} 4']);
});
