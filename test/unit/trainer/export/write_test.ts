import assert from "node:assert/strict";
import type { Card } from "../../../../shared/card.ts";
import { fingerprintOf, type GraphFiles, readModelFiles } from "../../../../shared/model_files.ts";
import { writeModel } from "../../../../trainer/export/write.ts";
import { filesOf } from "./exported.ts";
import { backbone } from "./networks.ts";

const FILES = await filesOf(backbone("thin-resnet", 28), () => "uint8");
const INPUT: Card["input"] = {
  height: 28,
  width: 28,
  channels: 3,
  fit: "cover",
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** A card that is valid, with figures of no meaning. */
async function cardOf({ modelJson, weights }: GraphFiles): Promise<Card> {
  const golden = { input: btoa("png"), embedding: [1, 0] };
  return {
    cardVersion: 1,
    fingerprint: await fingerprintOf(modelJson, weights, { input: INPUT }),
    input: INPUT,
    embedding: { dimensions: 32, metric: "euclidean" },
    thresholds: [{ fmr: 0.1, distance: 1, fnmr: 0.2, fnmrLow: 0.1, fnmrHigh: 0.3 }],
    calibration: { distance: [0.5, 1.5], fmr: [0.01, 1] },
    evaluation: {
      recallAt1: 0.5,
      recallAt5: 0.5,
      mapAtR: 0.5,
      rPrecision: 0.5,
      auc: 0.5,
      eer: 0.5,
      tarAtFar: {},
      identities: 2,
      images: 4,
      protocol: "none",
    },
    quantization: { scheme: "uint8", bytes: weights.length, meanCosine: 1, minCosine: 1, recallAt1Delta: 0 },
    goldens: [golden, golden, golden],
    training: {
      backbone: "thin-resnet",
      loss: "",
      sampler: "",
      optimizer: "",
      seed: 1,
      engine: "wasm",
      epochs: 1,
      seconds: 1,
      dataHash: "",
      version: "0",
    },
  };
}

async function written(shardBytes: number, check: (directory: string, card: Card) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const card = await cardOf(FILES);
    await writeModel(directory, FILES, card, shardBytes);
    await check(directory, card);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const namesIn = (directory: string) => Array.from(Deno.readDirSync(directory), (entry) => entry.name).sort();

for (const shardBytes of [1000, 4096, FILES.weights.length - 1, FILES.weights.length, FILES.weights.length + 1]) {
  const count = Math.ceil(FILES.weights.length / shardBytes);
  Deno.test(`${FILES.weights.length} bytes of weights in shards of ${shardBytes} are ${count} files, read back as they were`, () =>
    written(shardBytes, async (directory, card) => {
      const read = await readModelFiles(directory);
      assert.deepEqual(read.weights, FILES.weights);
      assert.deepEqual(read.card, card);
      assert.deepEqual(read.modelJson.modelTopology, FILES.modelJson.modelTopology);
      const sizes = read.modelJson.weightsManifest[0].paths.map((path) => Deno.statSync(`${directory}/${path}`).size);
      assert.equal(sizes.length, count);
      assert.ok(sizes.slice(0, -1).every((size) => size === shardBytes));
      assert.equal(namesIn(directory).length, count + 1);
    }));
}

Deno.test("a model takes another's place: its shards are gone, other files of the directory stay", () =>
  written(4096, async (directory) => {
    await Deno.writeTextFile(`${directory}/metrics.json`, "{}");
    const other = await filesOf(backbone("thin-resnet", 28), () => "float16");
    await writeModel(directory, other, await cardOf(other), 1 << 20);
    const { modelJson, weights } = await readModelFiles(directory);
    assert.deepEqual(weights, other.weights);
    assert.deepEqual(namesIn(directory), [...modelJson.weightsManifest[0].paths, "metrics.json", "model.json"].sort());
  }));

Deno.test("until model.json is replaced the directory holds the old model whole", () =>
  written(4096, async (directory, card) => {
    const other = await filesOf(backbone("thin-resnet", 28), () => "float16");
    // A directory in the place of the file that model.json is first written to makes the last step fail.
    await Deno.mkdir(`${directory}/model.json.${Deno.pid}.new`);
    await assert.rejects(writeModel(directory, other, await cardOf(other), 4096));
    assert.equal((await readModelFiles(directory)).card.fingerprint, card.fingerprint);
  }));
