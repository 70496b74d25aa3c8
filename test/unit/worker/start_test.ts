import assert from "node:assert/strict";
import { calibrationWarning, MOST_IN_PROCESS, sizeAdvice } from "../../../worker/start.ts";

Deno.test("calibrationWarning() is silent where the card supports the default rate, and never names a lower rate than it does", () => {
  assert.equal(calibrationWarning({ distance: [0.4, 1], fmr: [0.001, 1] }), null);
  assert.match(calibrationWarning({ distance: [0.4, 1], fmr: [0.00101, 1] }) ?? "", /below 0\.002,/);
  assert.match(calibrationWarning({ distance: [0.4, 1], fmr: [0.0512, 1] }) ?? "", /fmr=0\.052 /);
});

Deno.test("sizeAdvice() recommends Postgres for a gallery in memory that has outgrown it, and is silent below", () => {
  const half = { subjects: 1, images: MOST_IN_PROCESS / 2 };
  const collections = [{ collection: "a", ...half }, { collection: "b", ...half }];
  assert.equal(sizeAdvice(collections), null);
  const advice = sizeAdvice([...collections, { collection: "c", subjects: 1, images: 1 }]);
  assert.match(advice ?? "", new RegExp(`^The gallery has ${MOST_IN_PROCESS + 1} images.*TRIPTYCH_GALLERY=postgres:`));
});
