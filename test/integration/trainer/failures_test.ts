import assert from "node:assert/strict";
import { readModelFiles } from "../../../shared/model_files.ts";
import { type Checkpoint, hasCheckpoint, readCheckpoint } from "../../../trainer/checkpoint.ts";
import { type Outcome, outcomeOf, runTrainer, spawnTrainer } from "../../support/command.ts";
import { interruptWhen } from "../../support/interrupt.ts";
import { smallDataset } from "../../support/photos.ts";

const LITE0 = "samples/backbones/efficientnet-lite0.safetensors";
const KERAS = "test/fixtures/models/tiny_model.h5";

const data = await smallDataset(4, 4, 4);
const folder = await Deno.makeTempDir({ prefix: "triptych-failures-" });
const small = setting("imageSize=32", "identitiesPerBatch=2", "imagesPerIdentity=2", "warmupSteps=0", "maxSteps=8");
const basis = ["train", "--data", data, "--engine", "wasm", "--preset", "scratch", ...small];

function setting(...settings: string[]): string[] {
  return settings.flatMap((setting) => ["--set", setting]);
}

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  return path;
}

/** The start of a file. */
async function cutShort(path: string, share: number): Promise<Uint8Array> {
  const bytes = await Deno.readFile(path);
  return bytes.subarray(0, Math.floor(share * bytes.length));
}

/** EfficientNet-Lite0's weights with its first kernel in another shape of as many values. */
async function misshapen(): Promise<Uint8Array> {
  const bytes = await Deno.readFile(LITE0);
  const header = new TextDecoder("latin1").decode(bytes.subarray(0, 100_000));
  const at = header.indexOf("[32,3,3,3]", header.indexOf('"conv_stem.weight"'));
  bytes.set(new TextEncoder().encode("[32,3,1,9]"), at);
  return bytes;
}

/** The sentence that a command failed with: the last thing that it says, on one line, without a stack trace. */
function sentenceOf({ code, stderr }: Outcome, expectedCode = 1): string {
  assert.equal(code, expectedCode, stderr);
  assert.doesNotMatch(stderr, /^\s+at |Uncaught|defect of ours/m);
  const last = stderr.trimEnd().split("\n").at(-1)!;
  assert.match(last, /^error: \S.*\.$/);
  return last;
}

const weights = (backbone: string, path: string) => setting(`backbone=${backbone}`, `weights=${path}`);

const FAILURES: [name: string, args: () => Promise<string[]> | string[], code: number, says: RegExp][] = [
  ["an unknown setting", () => setting("nonsense=1"), 2, /no setting nonsense; there are backbone, /],
  ["a value that is out of range", () => setting("imageSize=-3"), 2, /imageSize cannot be -3/],
  ["a value of another type", () => setting("epochs=many"), 2, /epochs cannot be "many"/],
  ["settings that are no JSON", async () => ["--config", await file("settings.json", "{,}")], 2, /settings\.json/],
  ["a data folder that is not there", () => ["--data", `${folder}/nowhere`], 1, /no folder .*nowhere; check /],
  [
    "photos none of which can be read",
    async () => {
      const garbage = Uint8Array.from({ length: 200 }, (_, i) => i * 37);
      for (let i = 0; i < 30; i++) await file(`garbage/p${i % 6}/${i}.jpg`, garbage);
      return ["--data", `${folder}/garbage`];
    },
    1,
    /files cannot be read; the first is .*\.jpg: .*Mend or remove them/,
  ],
  ["a weight file that is not there", () => weights("efficientnet-lite0", "nowhere.h5"), 1, /nowhere\.h5: there is no/],
  [
    "a safetensors file that is cut short",
    async () => weights("efficientnet-lite0", await file("cut.safetensors", await cutShort(LITE0, 0.7))),
    1,
    /cut\.safetensors is damaged .*download it again/,
  ],
  [
    "a safetensors file of garbage",
    async () => weights("efficientnet-lite0", await file("garbage.safetensors", new Uint8Array(999).fill(171))),
    1,
    /garbage\.safetensors is damaged .*download it again/,
  ],
  [
    "weights of another backbone",
    () => weights("mobilenet-v2", LITE0),
    1,
    /does not fit the backbone mobilenet-v2: .* is missing, .* and \d+ more; give weights of this architecture/,
  ],
  [
    "a weight of another shape",
    async () => weights("efficientnet-lite0", await file("shape.safetensors", await misshapen())),
    1,
    /does not fit the backbone efficientnet-lite0: conv_stem\.weight is \[32,3,1,9\] instead of \[32,3,3,3\]; give/,
  ],
  [
    "an HDF5 file that is cut short",
    async () => weights("efficientnet-lite0", await file("cut.h5", await cutShort(KERAS, 0.8))),
    1,
    /cut\.h5 is damaged .*download it again/,
  ],
  [
    "a layers model that is no JSON",
    async () => weights("efficientnet-lite0", await file("broken/model.json", '{"modelTopology": {')),
    1,
    /broken\/model\.json is not JSON/,
  ],
  [
    "a layers model as backbone whose topology is damaged",
    async () =>
      setting(`backbone=${await file("damaged/model.json", '{"modelTopology":{"a":1},"weightsManifest":[]}')}`),
    1,
    /damaged\/model\.json/,
  ],
  [
    "a layers model without its weights",
    async () => {
      const manifest = [{ paths: ["gone.bin"], weights: [{ name: "a/kernel", shape: [1], dtype: "float32" }] }];
      const path = await file("lone/model.json", JSON.stringify({ modelTopology: {}, weightsManifest: manifest }));
      return weights("efficientnet-lite0", path);
    },
    1,
    /gone\.bin: there is no such file/,
  ],
];

for (const [name, args, code, says] of FAILURES) {
  Deno.test(`training with ${name} ends with one sentence`, async () => {
    const out = `${folder}/out of ${name}`;
    const outcome = await runTrainer(...basis, ...await args(), "--out", out);
    assert.match(sentenceOf(outcome, code), says);
    assert.equal(await hasCheckpoint(out), false);
  });
}

Deno.test("a run whose numbers are no longer finite ends with one sentence, and its last checkpoint is finite", async () => {
  const out = `${folder}/diverged`;
  // At every step weights grow by a factor of 10,000: after the first epoch they are large, in the second they overflow.
  const grow = setting("optimizer=adamw", "learningRate=1e-3", "weightDecay=1e7", "schedule=constant");
  const outcome = await runTrainer(...basis, ...grow, "--out", out);
  assert.match(sentenceOf(outcome), /^error: The .* is (NaN|Infinity) at step \d: lower learningRate/);
  const { step, tensors } = await readCheckpoint(out);
  assert.equal(step, 4);
  assert.ok(tensors.weights.every((weight) => weight.every(Number.isFinite)));
});

/** Ends a run as soon as its first epoch is saved. */
async function begun(out: string): Promise<Checkpoint> {
  const { code, stderr } = await interruptWhen(spawnTrainer(...basis, "--out", out), () => hasCheckpoint(out));
  assert.equal(code, 130, stderr);
  return await readCheckpoint(out);
}

/** Goes on with a run where no file can be longer than some KiB, which fails as a full disk does. */
function resumedOnFullDisk(out: string, kibibytes: number): Promise<Outcome> {
  const command = `trap '' XFSZ; ulimit -f ${2 * kibibytes}; exec "$0" "$@"`;
  const args = ["run", "--allow-all", "trainer/main.ts", "train", "--data", data, "--out", out, "--resume"];
  const options = { env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" } as const;
  return outcomeOf(new Deno.Command("sh", { args: ["-c", command, Deno.execPath(), ...args], ...options }).spawn());
}

const filesIn = async (directory: string) => (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);

Deno.test({
  name: "a run that a full disk stops keeps its checkpoint and its model, and goes on once there is room",
  ignore: Deno.build.os === "windows",
  async fn() {
    const out = `${folder}/full`;
    const before = await begun(out);
    assert.match(sentenceOf(await resumedOnFullDisk(out, 1000)), /The disk is full: File too large.*--resume/);
    assert.deepEqual(await readCheckpoint(out), before);
    assert.deepEqual((await filesIn(out)).filter((name) => name.endsWith(".new")), []);

    const resumed = await runTrainer("train", "--data", data, "--out", out, "--resume");
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal((await readCheckpoint(out)).step, 8);

    const { card } = await readModelFiles(out);
    assert.match(sentenceOf(await resumedOnFullDisk(out, 30)), /The disk is full: File too large.*--resume/);
    assert.equal((await readCheckpoint(out)).step, 8);
    assert.deepEqual((await readModelFiles(out)).card, card);
  },
});
