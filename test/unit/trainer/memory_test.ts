import assert from "node:assert/strict";
import { UsageError } from "../../../shared/errors.ts";
import { resolveConfig } from "../../../trainer/config.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { assertFits, stepBytes } from "../../../trainer/memory.ts";
import { lastFrozenLayer } from "../../../trainer/models/split.ts";
import { createNetwork } from "../../../trainer/network.ts";

const engine = await chooseEngine("wasm");
const configOf = (...set: string[]) => resolveConfig({ preset: "products", set });
const model = await createNetwork(configOf());

Deno.test("stepBytes() grows with the images, and shrinks with the layers that are frozen", () => {
  const weights = stepBytes(model, undefined, 0), one = stepBytes(model, undefined, 1) - weights;
  assert(Math.abs(stepBytes(model, undefined, 10) - weights - 10 * one) < 1);
  const upper = stepBytes(model, lastFrozenLayer(model, "block09"), 24);
  assert(upper < stepBytes(model, undefined, 24) / 2);
});

Deno.test("assertFits() lets a run pass that the engine holds, and any on an engine without a bound", () => {
  assertFits(model, configOf(), engine);
  assertFits(model, configOf("freeze=null", "cachedViews=0", "chunkSize=24"), engine);
  assertFits(model, configOf("freeze=null", "cachedViews=0"), { ...engine, memory: undefined });
});

Deno.test("assertFits() refuses a run that the engine cannot hold, with the sizes and what to set", () => {
  const config = configOf("freeze=null", "cachedViews=0");
  assert.throws(
    () => assertFits(model, config, engine),
    (error) =>
      error instanceof UsageError &&
      /48 images of 160 pixels takes about 7\.\d GB .* wasm engine holds 4\.3 GB: set chunkSize=\d\d /.test(
        error.message,
      ),
  );
  const [, chunk] = /chunkSize=(\d+)/.exec(messageOf(() => assertFits(model, config, engine)))!;
  assertFits(model, { ...config, chunkSize: Number(chunk) }, engine);
});

function messageOf(run: () => void): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
