import assert from "node:assert/strict";
import { expiryOf } from "../../../../worker/gallery/retention.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

Deno.test("expiryOf() is never for whole images, and 90 days from now for faces", () => {
  assert.equal(expiryOf({}, undefined, NOW), null);
  assert.equal(expiryOf({ domain: "face" }, undefined, NOW), "2026-04-01T00:00:00.000Z");
});

Deno.test("expiryOf() takes the days that are set, of which 0 is never", () => {
  assert.equal(expiryOf({}, 1, NOW), "2026-01-02T00:00:00.000Z");
  assert.equal(expiryOf({ domain: "face" }, 0, NOW), null);
});
