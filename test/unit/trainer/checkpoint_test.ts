import assert from "node:assert/strict";
import { ModelError } from "../../../shared/errors.ts";
import { type Checkpoint, hasCheckpoint, readCheckpoint, writeCheckpoint } from "../../../trainer/checkpoint.ts";
import { resolveConfig } from "../../../trainer/config.ts";

const checkpoint: Checkpoint = {
  config: resolveConfig({ set: ["maxSteps=7"] }),
  step: 5,
  optimizerStep: 4,
  seconds: 1.25,
  engine: "wasm",
  data: "photos",
  dataHash: "sha256:00",
  galleryHash: "none",
  history: [{
    epoch: 1,
    step: 5,
    loss: 0.25,
    activeTripletShare: 0.5,
    meanPairwiseDistance: 1,
    gradientNorm: 0.1,
    embeddingNorm: 3,
    learningRate: 1e-3,
  }],
  averageUpdates: 0,
  rateFactor: 0.1,
  alike: [[1], [0]],
  tensors: {
    weights: [Float32Array.of(1.5, -0, 1e-40, 3.4e38), new Float32Array(0)],
    loss: [],
    slots: [Float32Array.of(0.1)],
    average: [],
    best: [Float32Array.of(7)],
  },
};

Deno.test("a checkpoint is read back bit for bit, and replaces the one before", async () => {
  const directory = await Deno.makeTempDir();
  assert.equal(await hasCheckpoint(directory), false);
  await writeCheckpoint(directory, { ...checkpoint, step: 1 });
  await writeCheckpoint(directory, checkpoint);
  assert.deepEqual(await readCheckpoint(directory), checkpoint);
  assert(Object.is((await readCheckpoint(directory)).tensors.weights[0][1], -0));
});

Deno.test("readCheckpoint() refuses a checkpoint that is missing, cut off or not one", async () => {
  const directory = await Deno.makeTempDir();
  const refused = (says: RegExp) =>
    assert.rejects(() => readCheckpoint(directory), (error) => error instanceof ModelError && says.test(error.message));
  await refused(/there is none/);
  await writeCheckpoint(directory, checkpoint);
  const bytes = await Deno.readFile(`${directory}/checkpoint.bin`);
  for (const length of [3, 12, 40, bytes.length - 1]) {
    await Deno.writeFile(`${directory}/checkpoint.bin`, bytes.slice(0, length));
    await refused(/damaged/);
  }
  const changed = bytes.slice();
  changed[bytes.length - 3] ^= 1;
  await Deno.writeFile(`${directory}/checkpoint.bin`, changed);
  await refused(/tensors were changed/);
  await Deno.writeFile(`${directory}/checkpoint.bin`, new Uint8Array(bytes.length));
  await refused(/damaged/);
});
