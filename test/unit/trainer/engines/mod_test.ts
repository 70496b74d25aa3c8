import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { UsageError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";

Deno.test("chooseEngine(auto) starts the wasm engine and says why", async () => {
  const chosen = await chooseEngine("auto");
  assert.equal(chosen.name, "wasm");
  assert.match(chosen.device, /WebAssembly/);
  assert.match(chosen.reason, /fastest/);
  assert.equal(tf.getBackend(), "wasm");
});

Deno.test("chooseEngine(cpu) starts the cpu engine", async () => {
  assert.equal((await chooseEngine("cpu")).name, "cpu");
  assert.equal(tf.getBackend(), "cpu");
});

for (const name of ["cuda", "webgpu", "node", "abacus", "toString"]) {
  Deno.test(`chooseEngine(${name}) says which engines this version has`, async () => {
    await assert.rejects(
      chooseEngine(name),
      (error) => error instanceof UsageError && error.message.includes(name) && /wasm and cpu/.test(error.message),
    );
  });
}
