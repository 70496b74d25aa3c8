import * as tf from "@tensorflow/tfjs";
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import type { InputSpec } from "../../../shared/card.ts";
import { ModelError } from "../../../shared/errors.ts";
import { normalize, toInputPixels } from "../../../shared/image/mod.ts";
import { readModelFiles } from "../../../shared/model_files.ts";
import { useWasmBackend } from "../../../shared/tfjs_wasm.ts";
import { embedAll } from "../../../trainer/embed.ts";
import { type ExportJob, exportModel, type Scheme, withModel } from "../../../trainer/export/mod.ts";
import { evaluateEmbeddings } from "../../../trainer/metrics/mod.ts";
import { createEmbedder } from "../../../trainer/models/embedder.ts";
import { openEmbedder } from "../../../worker/embedder/open.ts";
import { createInt8Embedder } from "../../../worker/embedder/plan.ts";
import { selfTest } from "../../../worker/embedder/self_test.ts";
import { createTfjsEmbedder } from "../../../worker/embedder/tfjs.ts";
import { randomizeWeights } from "../../unit/trainer/export/exported.ts";

await useWasmBackend();

const INPUT: InputSpec = {
  height: 48,
  width: 48,
  channels: 3,
  fit: "cover",
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const PRODUCTS = ["Alpro-Shelf-Soy-Milk", "Arla-Medium-Fat-Milk", "Arla-Ecological-Medium-Fat-Milk"];
const PHOTOS = ["01", "02", "03", "04", "05", "06", "07", "08"];

const probes = await Promise.all(
  PRODUCTS.flatMap((product, label) =>
    PHOTOS.map(async (photo) => {
      const bytes = await Deno.readFile(
        new URL(`../../../samples/products/test/${product}/${photo}.jpg`, import.meta.url),
      );
      return { pixels: await toInputPixels(bytes, INPUT), label };
    })
  ),
);
const calibration = await Promise.all(
  PHOTOS.map(async (photo) => ({
    pixels: await toInputPixels(
      await Deno.readFile(new URL(`../../../samples/products/train/Banana/${photo}.jpg`, import.meta.url)),
      INPUT,
    ),
  })),
);
const model = randomizeWeights(createEmbedder({ backbone: "thin-resnet", input: INPUT, dimensions: 32, seed: 1 }), 5);

async function jobFor(scheme: Scheme, out: string): Promise<ExportJob> {
  const judge = (embeddings: Float32Array) =>
    evaluateEmbeddings(embeddings, probes.map((probe) => probe.label), { seed: 1 });
  return {
    model,
    input: INPUT,
    scheme,
    probes,
    calibration,
    recallAt1: judge(await embedAll(model, probes, INPUT)).evaluation.recallAt1,
    judge,
    training: {
      backbone: "thin-resnet",
      loss: "none",
      sampler: "none",
      optimizer: "none",
      seed: 1,
      engine: "wasm",
      epochs: 0,
      seconds: 0,
      dataHash: "none",
      version: "0",
    },
    out,
  };
}

async function inTemporaryDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  return x.reduce((sum, value, i) => sum + value * y[i], 0) / (Math.hypot(...x) * Math.hypot(...y));
}

const SCHEMES: [scheme: Scheme, meanCosine: number, bytesPerWeight: number][] = [
  ["none", 0.9999999, 4],
  ["float16", 0.999999, 2],
  ["uint8", 0.999, 1],
  ["int8", 0.99, 1],
];

for (const [scheme, meanCosine, bytesPerWeight] of SCHEMES) {
  Deno.test(`a ${scheme} export keeps a mean cosine of ${meanCosine} on real photos, and its card says so`, () =>
    inTemporaryDirectory(async (out) => {
      const { card } = await exportModel(await jobFor(scheme, out));
      const read = await readModelFiles(out);
      assert.deepEqual(read.card, card);
      assert.ok(card.quantization.meanCosine >= meanCosine, `the mean cosine is ${card.quantization.meanCosine}`);
      assert.ok(card.quantization.minCosine <= card.quantization.meanCosine);
      assert.ok(Math.abs(card.quantization.recallAt1Delta) <= 1 / probes.length);
      assert.equal(card.quantization.bytes, read.weights.length);
      const kernels = model.weights.filter((weight) => weight.shape.length > 1);
      const values = kernels.reduce((sum, weight) => sum + tf.util.sizeFromShape(weight.shape as number[]), 0);
      assert.ok(read.weights.length < bytesPerWeight * values + 8192);
    }));
}

Deno.test("the worker's embedder reproduces the goldens from their PNGs", () =>
  inTemporaryDirectory(async (out) => {
    await exportModel(await jobFor("uint8", out));
    const files = await readModelFiles(out);
    const embedder = await createTfjsEmbedder(files);
    assert.ok(files.card.goldens.length >= 3);
    for (const golden of files.card.goldens) {
      const pixels = await toInputPixels(new Uint8Array(Buffer.from(golden.input, "base64")), files.card.input);
      assert.ok(probes.some((probe) => Buffer.compare(probe.pixels, pixels) === 0), "the PNG is not one of the photos");
      assert.ok(cosine(await embedder.embed(pixels), golden.embedding) >= 0.999999);
    }
  }));

Deno.test("a stock script with @tensorflow/tfjs alone computes the same embedding over HTTP", () =>
  inTemporaryDirectory(async (out) => {
    const job = await jobFor("none", out);
    await exportModel(job);
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
      return new Response(await Deno.readFile(`${out}${new URL(request.url).pathname}`));
    });
    try {
      const url = `http://127.0.0.1:${server.addr.port}/model.json`;
      const tensor = Array.from(normalize(probes[0].pixels, INPUT));
      const embedding = await runStockScript(url, { values: tensor, shape: [1, 48, 48, 3] });
      assert.ok(cosine(embedding, await embedAll(model, probes.slice(0, 1), INPUT)) >= 0.9999);
    } finally {
      await server.shutdown();
    }
  }));

Deno.test("nothing is written when the graph finds fewer images than the network did", () =>
  inTemporaryDirectory(async (out) => {
    const job = await jobFor("none", `${out}/model`);
    await assert.rejects(exportModel({ ...job, recallAt1: job.recallAt1 + 0.5 }), (error: Error) => {
      return error instanceof ModelError && /loses 50\.0 points of recall@1/.test(error.message);
    });
    await assert.rejects(Deno.stat(`${out}/model`), Deno.errors.NotFound);
  }));

Deno.test("the backend that was in use is in use again after an export", () =>
  inTemporaryDirectory(async (out) => {
    const job = await jobFor("none", out);
    await tf.setBackend("cpu");
    try {
      await exportModel(job);
      assert.equal(tf.getBackend(), "cpu");
    } finally {
      await useWasmBackend();
    }
  }));

/** What anybody with tfjs would write. */
async function runStockScript(url: string, input: { values: number[]; shape: number[] }): Promise<number[]> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${directory}/stock.mjs`,
      `import * as tf from "npm:@tensorflow/tfjs@4.22.0";
       const { url, values, shape } = JSON.parse(await new Response(Deno.stdin.readable).text());
       const model = await tf.loadGraphModel(url);
       const embedding = model.predict(tf.tensor(values, shape));
       console.log(JSON.stringify(Array.from(await embedding.data())));`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--allow-env", "--allow-net=127.0.0.1", "--allow-read", `${directory}/stock.mjs`],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const stdin = child.stdin.getWriter();
    await stdin.write(new TextEncoder().encode(JSON.stringify({ url, ...input })));
    await stdin.close();
    const { code, stdout, stderr } = await child.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1) as string);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a model in int8 proves itself in its own arithmetic, and stock tfjs in float32, on the same goldens", () =>
  inTemporaryDirectory(async (out) => {
    await exportModel(await jobFor("int8", out));
    const files = await readModelFiles(out);
    const stock = await createTfjsEmbedder(files);
    assert.equal(await selfTest(stock, files.card) > 0.999999, true);
    for (const golden of files.card.goldens) {
      const pixels = await toInputPixels(new Uint8Array(Buffer.from(golden.input, "base64")), files.card.input);
      const int8 = await withModel(files, (embed) => embed([pixels]));
      assert.ok(cosine(int8, golden.embedding) >= 0.999999);
      const apart = cosine(golden.embedding, golden.float32!);
      assert.ok(apart > 0.98 && apart < 0.999999, `the two are ${apart} alike`);
    }
  }));

Deno.test("the worker runs a model in int8 in int8, or else in float32 and says why", () =>
  inTemporaryDirectory(async (out) => {
    await exportModel(await jobFor("int8", out));
    const noTfjs = () => Promise.reject(new Error("tfjs was loaded"));
    const open = await openEmbedder(await readModelFiles(out), noTfjs);
    assert.match(open.name, /^int8 plan, (relaxed )?SIMD$/);
    assert.equal(open.fallback, undefined);
    const { card, ...files } = await readModelFiles(out);
    for (const build of ["relaxed SIMD", "SIMD"] as const) {
      const embedder = await createInt8Embedder({ ...files, card }, build);
      // The sums of the first layer, which takes float32, are rounded otherwise than the exporter's.
      assert.ok(await selfTest(embedder, card, "int8") > 0.99999);
    }
    const activations = card.quantization.activations!.map((grid) => ({ ...grid, node: `${grid.node}_elsewhere` }));
    const other = { ...files, card: { ...card, quantization: { ...card.quantization, activations } } };
    const { name, fallback } = await openEmbedder(other, noTfjs);
    assert.match(name, /^plan, /);
    assert.match(fallback ?? "", /^The model does not run in int8\. .*_elsewhere/);
  }));

Deno.test("the ranges of int8 are bound to the fingerprint", () =>
  inTemporaryDirectory(async (out) => {
    await exportModel(await jobFor("int8", out));
    const modelJson = JSON.parse(await Deno.readTextFile(`${out}/model.json`));
    modelJson.userDefinedMetadata.triptych.quantization.activations[0].scale *= 1.01;
    await Deno.writeTextFile(`${out}/model.json`, JSON.stringify(modelJson));
    await assert.rejects(readModelFiles(out), /not the one that its card describes/);
  }));

Deno.test("a model whose ranges do not suit the photos is refused, with the layers where the error arises", () =>
  inTemporaryDirectory(async (out) => {
    // The network's input is 0 throughout, so that all ranges are those of the biases.
    const grey = { pixels: new Uint8Array(INPUT.height * INPUT.width * INPUT.channels).fill(127) };
    const job = { ...await jobFor("int8", out), calibration: [grey] };
    await assert.rejects(
      exportModel(job),
      (error) =>
        error instanceof ModelError &&
        /^The int8 export .* export with --quantize uint8\. Most of it arises in \w+, \w+, \w+\.$/.test(error.message),
    );
    assert.deepEqual([...Deno.readDirSync(out)], []);
  }));

Deno.test("quantization.json lists every layer of a model in int8", () =>
  inTemporaryDirectory(async (out) => {
    const { card, layers } = await exportModel(await jobFor("int8", out));
    const written = JSON.parse(await Deno.readTextFile(`${out}/quantization.json`));
    assert.deepEqual(written.layers, layers);
    const names = new Set(layers!.map(({ name }) => name));
    assert.ok(card.quantization.activations!.every(({ node }) => names.has(node)));
    assert.ok(layers!.every(({ sqnr, loss }) => sqnr > 10 && loss < 0.01));
  }));
