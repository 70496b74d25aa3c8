import { Buffer } from "node:buffer";
import type { Card, InputSpec } from "../../../shared/card.ts";
import { encodePng } from "../../../shared/image/mod.ts";
import { fingerprintOf, type ModelFiles, type ModelJson } from "../../../shared/model_files.ts";
import { createTfjsEmbedder } from "../../../worker/embedder/tfjs.ts";

const INPUT: InputSpec = {
  height: 8,
  width: 8,
  channels: 3,
  fit: "cover",
  mean: [0.5, 0.5, 0.5],
  std: [0.25, 0.25, 0.25],
};
const PIXELS = INPUT.height * INPUT.width * INPUT.channels;
const DIMENSIONS = 16;

/**
 * A graph model as small as can be that is still one: all pixels times a matrix, L2-normalised; its goldens are computed
 * by tfjs.
 *
 * @param seed another one gives another model
 */
export async function tinyModel(seed = 1): Promise<ModelFiles> {
  const random = randomFrom(seed);
  const matrix = Float32Array.from({ length: PIXELS * DIMENSIONS }, () => random() - 0.5);
  const weights = new Uint8Array([
    ...bytesOf(Int32Array.of(-1, PIXELS)),
    ...bytesOf(matrix),
    ...bytesOf(Int32Array.of(1)),
    ...bytesOf(Float32Array.of(1e-12)),
  ]);
  const graph = graphJson();
  const card = cardFor(await fingerprintOf(graph, weights, { input: INPUT }));
  const files = { modelJson: { ...graph, userDefinedMetadata: { triptych: card } }, weights, card };
  const embedder = await createTfjsEmbedder(files);
  for (let i = 0; i < 3; i++) {
    const pixels = Uint8Array.from({ length: PIXELS }, () => Math.floor(256 * random()));
    const png = await encodePng(pixels, INPUT.height, INPUT.width, INPUT.channels);
    card.goldens.push({ input: Buffer.from(png).toString("base64"), embedding: [...await embedder.embed(pixels)] });
  }
  return files;
}

/** Writes a model directory. */
export async function writeModel({ modelJson, weights }: ModelFiles, directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/model.json`, JSON.stringify(modelJson));
  await Deno.writeFile(`${directory}/group1-shard1of1.bin`, weights);
}

/** A picture that differs from those of other numbers: 12 x 10 pixels of noise, PNG. */
export function picture(number: number): Promise<Uint8Array<ArrayBuffer>> {
  const random = randomFrom(1000 + number);
  return encodePng(Uint8Array.from({ length: 12 * 10 * 3 }, () => Math.floor(256 * random())), 10, 12, 3);
}

function graphJson(): Omit<ModelJson, "userDefinedMetadata"> {
  const float = { type: "DT_FLOAT" }, int = { type: "DT_INT32" };
  const dims = (...shape: number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });
  const constant = (name: string, shape: number[], dtype = float) => ({
    name,
    op: "Const",
    attr: { dtype, value: { tensor: { dtype: dtype.type, tensorShape: dims(...shape) } } },
  });
  const inputShape = [-1, INPUT.height, INPUT.width, INPUT.channels];
  return {
    format: "graph-model",
    generatedBy: "test",
    convertedBy: null,
    modelTopology: {
      node: [
        { name: "input", op: "Placeholder", attr: { dtype: float, shape: { shape: dims(...inputShape) } } },
        constant("flat/shape", [2], int),
        { name: "flat", op: "Reshape", input: ["input", "flat/shape"], attr: { T: float, Tshape: int } },
        constant("head/matrix", [PIXELS, DIMENSIONS]),
        {
          name: "head",
          op: "MatMul",
          input: ["flat", "head/matrix"],
          attr: { T: float, transpose_a: { b: false }, transpose_b: { b: false } },
        },
        { name: "square", op: "Square", input: ["head"], attr: { T: float } },
        constant("sum/axis", [1], int),
        {
          name: "sum",
          op: "Sum",
          input: ["square", "sum/axis"],
          attr: { T: float, Tidx: int, keep_dims: { b: true } },
        },
        constant("least", []),
        { name: "floor", op: "Maximum", input: ["sum", "least"], attr: { T: float } },
        { name: "scale", op: "Rsqrt", input: ["floor"], attr: { T: float } },
        { name: "embedding", op: "Mul", input: ["head", "scale"], attr: { T: float } },
      ],
      library: {},
      versions: { producer: 1395 },
    },
    signature: {
      inputs: { input: { name: "input:0", dtype: "DT_FLOAT", tensorShape: dims(...inputShape) } },
      outputs: { embedding: { name: "embedding:0", dtype: "DT_FLOAT", tensorShape: dims(-1, DIMENSIONS) } },
    },
    weightsManifest: [{
      paths: ["group1-shard1of1.bin"],
      weights: [
        { name: "flat/shape", shape: [2], dtype: "int32" },
        { name: "head/matrix", shape: [PIXELS, DIMENSIONS], dtype: "float32" },
        { name: "sum/axis", shape: [1], dtype: "int32" },
        { name: "least", shape: [], dtype: "float32" },
      ],
    }],
  };
}

function cardFor(fingerprint: string): Card {
  return {
    cardVersion: 1,
    fingerprint,
    input: INPUT,
    embedding: { dimensions: DIMENSIONS, metric: "euclidean" },
    thresholds: [
      { fmr: 0.01, distance: 0.5, fnmr: 0.2, fnmrLow: 0.1, fnmrHigh: 0.3 },
      { fmr: 0.1, distance: 0.8, fnmr: 0.1, fnmrLow: 0.05, fnmrHigh: 0.2 },
    ],
    calibration: { distance: [0.5, 0.8, 1.4], fmr: [0.01, 0.1, 1] },
    evaluation: {
      recallAt1: 1,
      recallAt5: 1,
      mapAtR: 1,
      rPrecision: 1,
      auc: 1,
      eer: 0,
      tarAtFar: { "0.01": 0.8 },
      identities: 10,
      images: 20,
      protocol: "none",
    },
    quantization: { scheme: "none", bytes: 1, meanCosine: 1, minCosine: 1, recallAt1Delta: 0 },
    goldens: [],
    training: {
      backbone: "none",
      loss: "none",
      sampler: "none",
      optimizer: "none",
      seed: 1,
      engine: "none",
      epochs: 0,
      seconds: 0,
      dataHash: "none",
      version: "0",
    },
  };
}

function bytesOf(array: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Numbers in 0..1 by a linear congruential generator (Numerical Recipes, section 7.1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
