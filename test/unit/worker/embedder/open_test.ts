import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { fingerprintOf, type ModelFiles, readModelFiles } from "../../../../shared/model_files.ts";
import { ModelError } from "../../../../shared/errors.ts";
import { l2Normalize } from "../../../../trainer/models/l2_normalize.ts";
import { createTfjsLazily } from "../../../../worker/embedder/lazy_tfjs.ts";
import { openEmbedder } from "../../../../worker/embedder/open.ts";
import { createPlanEmbedder } from "../../../../worker/embedder/plan.ts";
import { selfTest } from "../../../../worker/embedder/self_test.ts";
import { createTfjsEmbedder } from "../../../../worker/embedder/tfjs.ts";
import { tinyModel } from "../../../integration/worker/tiny_model.ts";
import { filesOf } from "../../trainer/export/exported.ts";
import { BUILDS } from "./plan/support.ts";

const bundled = await readModelFiles("samples/model");
const tiny = await tinyModel();
/** Who opens an embedder hands the weights over. */
const copyOf = (files: ModelFiles): ModelFiles => ({ ...files, weights: files.weights.slice() });
const noTfjs = () => Promise.reject(new Error("tfjs was loaded"));

/** A model that ends in a layer that no plan has. */
async function modelOf(last: tf.layers.Layer): Promise<ModelFiles> {
  const { height, width, channels } = tiny.card.input;
  const x = tf.input({ shape: [height, width, channels] });
  const features = tf.layers.flatten().apply(x);
  const y = tf.layers.dense({ units: tiny.card.embedding.dimensions }).apply(features);
  const outputs = l2Normalize().apply(last.apply(y)) as tf.SymbolicTensor;
  const { modelJson, weights } = await filesOf(tf.model({ inputs: x, outputs }));
  const fingerprint = await fingerprintOf(modelJson, weights as Uint8Array<ArrayBuffer>, tiny.card);
  const card = { ...tiny.card, fingerprint, goldens: [...tiny.card.goldens] };
  const files = { modelJson: { ...modelJson, userDefinedMetadata: { triptych: card } }, weights, card };
  const embedder = await createTfjsEmbedder(files);
  const { toInputPixels } = await import("../../../../shared/image/mod.ts");
  card.goldens = await Promise.all(tiny.card.goldens.map(async ({ input }) => {
    const pixels = await toInputPixels(Uint8Array.from(atob(input), (c) => c.charCodeAt(0)), card.input);
    return { input, embedding: [...await embedder.embed(pixels)] };
  }));
  return files;
}

for (const build of BUILDS) {
  Deno.test(`the plan reproduces the goldens of the bundled model with ${build}`, async () => {
    assert.ok(await selfTest(await createPlanEmbedder(bundled, build), bundled.card) > 0.99999);
  });
}

Deno.test("openEmbedder() takes the plan, and leaves tfjs where it is, for a graph that a plan covers", async () => {
  for (const files of [bundled, tiny]) {
    const { name, fallback } = await openEmbedder(copyOf(files), noTfjs);
    assert.match(name, /^plan, (relaxed )?SIMD$/);
    assert.equal(fallback, undefined);
  }
});

Deno.test("openEmbedder() leaves nothing of the weights beside the plan's own", async () => {
  const files = copyOf(bundled);
  await openEmbedder(files, noTfjs);
  assert.equal(files.weights.length, 0);
});

Deno.test("openEmbedder() takes tfjs for another graph, and says which operation the plan lacks", async () => {
  const layer = tf.layers.activation({ activation: "selu" });
  const { name, fallback } = await openEmbedder(await modelOf(layer), createTfjsLazily);
  assert.match(name, /^tfjs/);
  assert.match(fallback ?? "", /the operation Selu/);
});

Deno.test("openEmbedder() refuses a model whose goldens neither reproduces", async () => {
  const goldens = tiny.card.goldens.map(({ input, embedding }) => ({ input, embedding: embedding.map((x) => -x) }));
  await assert.rejects(
    openEmbedder({ ...copyOf(tiny), card: { ...tiny.card, goldens } }, createTfjsLazily),
    ModelError,
  );
});

Deno.test("the worker's entries import tfjs only when it is needed", async () => {
  for (const entry of ["worker/main.ts", "worker/node.ts", "worker/workerd.ts"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry] }).output();
    const { modules, roots } = JSON.parse(new TextDecoder().decode(stdout));
    const byName = new Map<string, { dependencies?: Dependency[] }>(
      modules.map((module: { specifier: string }) => [module.specifier, module]),
    );
    const seen = new Set<string>(roots);
    for (const name of seen) {
      for (const { code, isDynamic, npmPackage } of byName.get(name)?.dependencies ?? []) {
        assert.ok(isDynamic || !/tensorflow/.test(npmPackage ?? code?.specifier ?? ""), `${name} imports tfjs`);
        if (!isDynamic && code?.specifier !== undefined) seen.add(code.specifier);
      }
    }
    assert.ok(seen.size > 50);
  }
});

interface Dependency {
  code?: { specifier?: string };
  isDynamic?: boolean;
  npmPackage?: string;
}
