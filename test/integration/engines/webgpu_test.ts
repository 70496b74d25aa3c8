import assert from "node:assert/strict";
import { type Checkpoint, readCheckpoint } from "../../../trainer/checkpoint.ts";
import { requestAdapter } from "../../../trainer/engines/webgpu/device.ts";
import { runTrainer, spawnTrainer } from "../../support/command.ts";
import { interruptWhen } from "../../support/interrupt.ts";
import { smallDataset } from "../../support/photos.ts";

const missing = await requestAdapter() === null;
const SETTINGS = ["identitiesPerBatch=4", "imagesPerIdentity=4", "imageSize=32", "warmupSteps=4", "epochs=4"];

Deno.test({
  name: `a run that was begun with wasm goes on with webgpu, to nearly the same weights${
    missing ? " (not tested: this machine offers no WebGPU adapter; install mesa-vulkan-drivers)" : ""
  }`,
  ignore: missing,
  async fn() {
    const data = await smallDataset(), out = await Deno.makeTempDir({ prefix: "triptych-runs-" });
    const set = SETTINGS.flatMap((setting) => ["--set", setting]);
    const begin = ["--preset", "scratch", "--data", data, "--engine", "wasm", ...set];
    const whole = await runTrainer("train", ...begin, "--out", `${out}/whole`);
    assert.equal(whole.code, 0, whole.stderr);
    const expected = await readCheckpoint(`${out}/whole`);

    const stepOf = () => readCheckpoint(`${out}/run`).then(({ step }) => step, () => 0);
    const first = spawnTrainer("train", ...begin, "--out", `${out}/run`);
    await interruptWhen(first, async () => await stepOf() >= 4);
    const { step } = await readCheckpoint(`${out}/run`);
    assert(step > 0 && step < expected.step, `stopped at step ${step} of ${expected.step}`);
    const resumed = await runTrainer("train", "--data", data, "--out", `${out}/run`, "--resume", "--engine", "webgpu");
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /Engine: webgpu, .*\n/);
    assert.match(resumed.stderr, /the run was on the engine wasm; on webgpu/);
    const actual = await readCheckpoint(`${out}/run`);
    assert.equal(actual.engine, "webgpu");
    assert.equal(actual.step, expected.step);
    const difference = distance(actual, expected) / length(expected);
    assert(difference < 1e-3, `the weights differ by ${difference} of their length`);
  },
});

function length({ tensors }: Checkpoint): number {
  return Math.hypot(...tensors.weights.map((values) => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))));
}

function distance(a: Checkpoint, b: Checkpoint): number {
  const parts = a.tensors.weights.map((values, i) =>
    Math.sqrt(values.reduce((sum, value, j) => sum + (value - b.tensors.weights[i][j]) ** 2, 0))
  );
  return Math.hypot(...parts);
}
