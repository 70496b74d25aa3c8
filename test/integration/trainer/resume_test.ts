import assert from "node:assert/strict";
import { readModelFiles } from "../../../shared/model_files.ts";
import { readCheckpoint } from "../../../trainer/checkpoint.ts";
import { outcomeOf, runTrainer, spawnTrainer } from "../../support/command.ts";
import { smallDataset } from "../../support/photos.ts";

const data = await smallDataset();
const out = await Deno.makeTempDir({ prefix: "triptych-runs-" });
const small = ["identitiesPerBatch=4", "imagesPerIdentity=4", "imageSize=32", "warmupSteps=4"];
const settings = ["--data", data, "--engine", "wasm", ...setting(...small, "epochs=6")];

function setting(...settings: string[]): string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

/** Ends a run by a signal as soon as an epoch is saved. */
async function interrupted(directory: string, signal: Deno.Signal, more: string[], after: number): Promise<number> {
  const child = spawnTrainer("train", ...settings, ...more, "--out", directory);
  for (;;) {
    const step = await readCheckpoint(directory).then((checkpoint) => checkpoint.step, () => 0);
    if (step >= after) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  return (await outcomeOf(child)).code;
}

/** Stopped after the second epoch, four steps each, unless given. */
const CASES: [name: string, signal: Deno.Signal, more: string[], after?: number][] = [
  ["kill -9", "SIGKILL", ["--preset", "scratch"]],
  [
    "Ctrl-C, hard classes, averaged weights, early stopping",
    "SIGINT",
    ["--preset", "scratch", ...setting("sampler=hard-classes", "averageDecay=0.9", "patience=9")],
  ],
  [
    "kill -9, a loss with variables of its own, sgd",
    "SIGKILL",
    ["--preset", "scratch", ...setting("loss=arcface", "optimizer=sgd", "weightDecay=1e-4", "clipNorm=1")],
  ],
  [
    "kill -9, fine-tuning in two stages on cached activations",
    "SIGKILL",
    [
      "--preset",
      "products",
      ...setting("headSteps=5", "freeze=block14", "layerDecay=0.8", "cachedViews=1", "averageDecay=0.9"),
    ],
  ],
  [
    "kill -9, in int8, which comes after 48 steps",
    "SIGKILL",
    ["--preset", "scratch", "--qat", ...setting("epochs=12", "averageDecay=0.9")],
    52,
  ],
];

for (const [name, signal, more, after = 8] of CASES) {
  Deno.test(`a run that was stopped (${name}) goes on with --resume to the weights of an undisturbed run`, async () => {
    const whole = `${out}/whole ${name}`, directory = `${out}/${name}`;
    const undisturbed = await runTrainer("train", ...settings, ...more, "--out", whole);
    assert.equal(undisturbed.code, 0, undisturbed.stderr);
    const expected = await readCheckpoint(whole);

    assert.notEqual(await interrupted(directory, signal, more, after), 0);
    const partial = await readCheckpoint(directory);
    assert(partial.step < expected.step, `stopped at step ${partial.step}`);
    const resumed = await runTrainer("train", "--data", data, "--out", directory, "--resume");
    assert.equal(resumed.code, 0, resumed.stderr);
    const actual = await readCheckpoint(directory);
    assert.equal(actual.step, expected.step);
    assert.deepEqual(actual.tensors, expected.tensors);
    const [one, other] = await Promise.all([readModelFiles(directory), readModelFiles(whole)]);
    assert.equal(one.card.fingerprint, other.card.fingerprint);

    const exported = await runTrainer("export", "--checkpoint", directory, "--out", `${directory}/again`);
    assert.equal(exported.code, 0, exported.stderr);
    assert.equal((await readModelFiles(`${directory}/again`)).card.fingerprint, one.card.fingerprint);
  });
}

Deno.test("the command line says what is wrong, and exits with 2 for wrong usage and 1 for a failure", async () => {
  const cases: [args: string[], code: number, says: RegExp][] = [
    [["train", "--out", out], 2, /--data is missing/],
    [["train", "--data", data, "--out", `${out}/a`, "--sett", "x=1"], 2, /--sett/],
    [["train", "--data", data, "--out", `${out}/a`, "--set", "learningRat=1"], 2, /no setting learningRat/],
    [["train", "--data", data, "--out", `${out}/a`, "--set", "margin=-1"], 2, /margin cannot be -1/],
    [["train", "--data", data, "--out", `${out}/a`, "--preset", "nope"], 2, /no preset nope/],
    [["train", "--data", data, "--out", `${out}/a`, "--engine", "abacus"], 2, /abacus/],
    [["train", "--data", "/nowhere", "--out", `${out}/a`], 1, /no folder \/nowhere/],
    [["train", ...settings, "--out", `${out}/whole kill -9`], 2, /--resume/],
    [
      ["train", ...settings, "--set", "margin=9", "--out", `${out}/whole kill -9`, "--resume", "--preset", "scratch"],
      2,
      /started with margin=0.3, not 9/,
    ],
    [
      ["train", "--data", data, "--out", `${out}/a`, "--qat", "--set", "quantize=uint8"],
      2,
      /^error: qat trains the network for int8, and quantize=uint8 exports another: take quantize=int8, or leave qat out\.\n$/,
    ],
    [["train", "--data", data, "--out", "README.md"], 2, /README.md cannot be made a directory/],
    [["train", "--data", data, "--out", `${out}/a`, "--preset", "toString"], 2, /no preset toString/],
    [["evaluate", "--model", "/nowhere", "--data", data], 1, /Cannot read \/nowhere\/model.json/],
    [["export", "--checkpoint", "/nowhere", "--out", `${out}/b`], 1, /Cannot read the checkpoint/],
    [["fly"], 2, /Usage/],
  ];
  for (const [args, code, says] of cases) {
    const outcome = await runTrainer(...args);
    assert.equal(outcome.code, code, `${args.join(" ")}: ${outcome.stderr}`);
    assert.match(outcome.stderr, says);
    assert.doesNotMatch(outcome.stderr, /\n\s+at /, "no stack trace");
  }
  const help = await runTrainer("train", "--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /learningRate/);
});
