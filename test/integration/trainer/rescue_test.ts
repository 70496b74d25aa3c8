import assert from "node:assert/strict";
import { readCheckpoint } from "../../../trainer/checkpoint.ts";
import { runTrainer, spawnTrainer } from "../../support/command.ts";
import { interruptWhen } from "../../support/interrupt.ts";
import { smallDataset } from "../../support/photos.ts";

const data = await smallDataset(4, 4, 4);
const folder = await Deno.makeTempDir({ prefix: "triptych-rescue-" });
// Four steps an epoch.
const small = setting("imageSize=32", "identitiesPerBatch=2", "imagesPerIdentity=2", "warmupSteps=0");
const basis = ["train", "--data", data, "--engine", "wasm", "--preset", "scratch", ...small, "--rescue"];
/** The first step leaves next to nothing of the kernels, the embeddings vanish; at a tenth of the rate a step takes a tenth of them. */
const collapsing = setting(
  "optimizer=adamw",
  "learningRate=1e-6",
  "weightDecay=1e6",
  "schedule=constant",
  "maxSteps=28",
);

function setting(...settings: string[]): string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

/** Of the steps that count. */
async function learningRates(out: string): Promise<number[]> {
  const lines = (await Deno.readTextFile(`${out}/metrics.jsonl`)).trim().split("\n").map((line) => JSON.parse(line));
  return lines.filter(({ type }) => type === "step").map(({ learningRate }) => learningRate);
}

function assertRates(actual: number[], expected: number): void {
  for (const rate of actual) assert.ok(Math.abs(rate / expected - 1) < 1e-6, `${rate} instead of ${expected}`);
}

Deno.test("a run that collapses goes back to the last good checkpoint, and on with a tenth of the rate; so does --resume", async () => {
  const whole = `${folder}/collapsing`, stopped = `${folder}/stopped`;
  const { code, stderr } = await runTrainer(...basis, ...collapsing, "--out", whole);
  assert.equal(code, 0, stderr);
  const warnings = stderr.split("\n").filter((line) => line.startsWith("warning: "));
  assert.deepEqual(warnings, [
    "warning: The embedding has collapsed by step 21; going back to step 0 with a tenth of the learning rate.",
  ]);
  const expected = await readCheckpoint(whole);
  assert.deepEqual([expected.step, expected.rateFactor], [28, 0.1]);
  assert.equal((await learningRates(whole)).length, 28);
  assertRates(await learningRates(whole), 1e-7);

  const interrupted = await interruptWhen(spawnTrainer(...basis, ...collapsing, "--out", stopped), async () => {
    const { step, rateFactor } = await readCheckpoint(stopped).catch(() => ({ step: 0, rateFactor: 1 }));
    return step > 0 && rateFactor < 1;
  });
  assert.equal(interrupted.code, 130, interrupted.stderr);
  assert.ok((await readCheckpoint(stopped)).step < 28);
  const resumed = await runTrainer("train", "--data", data, "--out", stopped, "--resume");
  assert.equal(resumed.code, 0, resumed.stderr);
  assertRates(await learningRates(stopped), 1e-7);
  const actual = await readCheckpoint(stopped);
  assert.equal(actual.rateFactor, 0.1);
  assert.deepEqual(actual.tensors, expected.tensors);
});

Deno.test("a run whose last checkpoint was spoilt already goes back to its start, and ends well", async () => {
  const out = `${folder}/spoilt`;
  // Kernels grow by a factor of 300 at every step: those of the checkpoint at step 8 have squares beyond float32.
  const growing = setting(
    "optimizer=adamw",
    "learningRate=1e-3",
    "weightDecay=3e5",
    "schedule=constant",
    "maxSteps=12",
  );
  const { code, stderr } = await runTrainer(...basis, ...growing, "--out", out);
  assert.equal(code, 0, stderr);
  assert.deepEqual([...stderr.matchAll(/going back to step (\d+)/g)].map(([, step]) => Number(step)), [8, 0]);
  const { step, tensors, rateFactor } = await readCheckpoint(out);
  assert.equal(step, 12);
  assert.ok(Math.abs(rateFactor - 0.01) < 1e-9);
  assert.ok(tensors.weights.every((weight) => weight.every(Number.isFinite)));
});

Deno.test("a run that rescues do not help is given up after three, with one sentence", async () => {
  const out = `${folder}/lost`;
  const { code, stderr } = await runTrainer(...basis, ...setting("optimizer=sgd", "learningRate=1e30"), "--out", out);
  assert.equal(code, 1, stderr);
  assert.equal(stderr.match(/^warning: .* going back to step 0 with a tenth of the learning rate\.$/gm)?.length, 3);
  assert.match(stderr.trimEnd().split("\n").at(-1)!, /^error: The .* at step 2: 3 rescues did not help; .*--out\.$/);
  assert.doesNotMatch(stderr, /^\s+at |defect of ours/m);
  const { step, tensors } = await readCheckpoint(out);
  assert.equal(step, 0);
  assert.ok(tensors.weights.every((weight) => weight.every(Number.isFinite)));
});
