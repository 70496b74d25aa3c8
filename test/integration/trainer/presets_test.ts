import assert from "node:assert/strict";
import { readModelFiles } from "../../../shared/model_files.ts";
import { readCheckpoint } from "../../../trainer/checkpoint.ts";
import { PRESETS, resolveConfig } from "../../../trainer/config.ts";
import { runTrainer } from "../../support/command.ts";
import { smallDataset } from "../../support/photos.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-presets-" });
const photos = await smallDataset(4, 4, 4);
const digits = `mnist:${await idxFolder(40)}`;

/** MNIST's four files with images of ten patterns in turn. */
async function idxFolder(count: number): Promise<string> {
  const root = `${folder}/digits`;
  await Deno.mkdir(root);
  const pixels = Uint8Array.from({ length: count * 28 * 28 }, (_, i) => (i % 28) * (1 + Math.floor(i / 784) % 10) * 11);
  for (const part of ["train", "t10k"]) {
    await Deno.writeFile(`${root}/${part}-images-idx3-ubyte`, idx(0x803, [count, 28, 28], pixels));
    await Deno.writeFile(`${root}/${part}-labels-idx1-ubyte`, idx(0x801, [count], pixels.map((_, i) => i % 10)));
  }
  return root;
}

function idx(magic: number, sizes: number[], values: Uint8Array): Uint8Array {
  const words = [magic, ...sizes], header = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, i) => header.setUint32(4 * i, word));
  const length = sizes.reduce((product, size) => product * size);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...values.subarray(0, length)]);
}

/** What is smaller than in the preset, so that it runs in seconds. */
const CASES: Record<string, { data: string; smaller: string[]; loss: string; sampler: string }> = {
  faces: {
    ...{ data: photos, smaller: ["faces=false", "cachedViews=1"] },
    ...{ loss: "triplet-semihard, L2 distance, margin 0.2", sampler: "PK, 12 identities x 4 images" },
  },
  omniglot: {
    ...{ data: photos, smaller: ["imageSize=32"] },
    ...{ loss: "triplet-semihard, squared-L2 distance, margin 0.3", sampler: "PK, 16 identities x 4 images" },
  },
  "mnist-seed": {
    ...{ data: digits, smaller: ["backbone=thin-resnet"] },
    ...{ loss: "triplet-semihard, L2 distance, margin 1", sampler: "shuffled, 32 images" },
  },
  "siamese-seed": {
    ...{ data: digits, smaller: ["backbone=thin-resnet"] },
    ...{ loss: "siamese-bce", sampler: "32 pairs" },
  },
};

for (const [preset, { data, smaller, loss, sampler }] of Object.entries(CASES)) {
  Deno.test(`the preset ${preset} trains, and the model's card says how`, async () => {
    const out = `${folder}/${preset}`;
    const set = [...smaller, "maxSteps=2"];
    const options = ["--preset", preset, "--engine", "wasm", ...set.flatMap((setting) => ["--set", setting])];
    const outcome = await runTrainer("train", "--data", data, "--out", out, ...options);
    assert.equal(outcome.code, 0, outcome.stderr);

    const { card } = await readModelFiles(out);
    assert.deepEqual([card.training.loss, card.training.sampler], [loss, sampler]);
    assert.equal(card.input.channels, PRESETS[preset].channels ?? 3);
    const { config, step } = await readCheckpoint(out);
    assert.equal(step, 2);
    assert.deepEqual(config, resolveConfig({ preset, set }));
  });
}
