import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { UsageError } from "../../../../shared/errors.ts";
import { chooseEngine, type Engine, EngineMissing, ENGINES, startBest } from "../../../../trainer/engines/mod.ts";

/** An engine that is there, or the sentence that says why not. */
function engine(name: string, missing?: string): Engine {
  const start = () => missing ? Promise.reject(new EngineMissing(missing)) : Promise.resolve(`the ${name}`);
  return { name, summary: name, start };
}

Deno.test("startBest() starts the first engine that is there and says why no better one", async () => {
  const chosen = await startBest([engine("gpu", "There is no driver."), engine("wasm"), engine("cpu")]);
  assert.deepEqual(chosen, {
    name: "wasm",
    device: "the wasm",
    memory: undefined,
    reason: "  not gpu: There is no driver.",
  });
  assert.match((await startBest([engine("gpu"), engine("cpu")])).reason, /best/);
});

Deno.test("startBest() passes a defect on, and that the last engine is missing", async () => {
  const broken: Engine = { ...engine("gpu"), start: () => Promise.reject(new TypeError("x is undefined")) };
  await assert.rejects(startBest([broken, engine("cpu")]), TypeError);
  await assert.rejects(startBest([engine("gpu", "No."), engine("cpu", "Not either.")]), /Not either/);
});

Deno.test("chooseEngine(auto) starts an engine of this machine and says why", async () => {
  const chosen = await chooseEngine("auto");
  assert(Object.hasOwn(ENGINES, chosen.name));
  assert(chosen.device.length > 0 && chosen.reason.length > 0);
  assert.notEqual(tf.getBackend(), "cpu");
});

Deno.test("chooseEngine(cpu) starts the cpu engine", async () => {
  assert.equal((await chooseEngine("cpu")).name, "cpu");
  assert.equal(tf.getBackend(), "cpu");
});

for (const name of ["abacus", "toString"]) {
  Deno.test(`chooseEngine(${name}) says which engines this version has`, async () => {
    await assert.rejects(
      chooseEngine(name),
      (error) =>
        error instanceof UsageError && error.message.includes(name) &&
        /cuda, webgpu, node, wasm, cpu/.test(error.message),
    );
  });
}
