import assert from "node:assert/strict";
import { calibrationWarning } from "../../../worker/start.ts";

Deno.test("calibrationWarning() is silent where the card supports the default rate, and never names a lower rate than it does", () => {
  assert.equal(calibrationWarning({ distance: [0.4, 1], fmr: [0.001, 1] }), null);
  assert.match(calibrationWarning({ distance: [0.4, 1], fmr: [0.00101, 1] }) ?? "", /below 0\.002,/);
  assert.match(calibrationWarning({ distance: [0.4, 1], fmr: [0.0512, 1] }) ?? "", /fmr=0\.052 /);
});
