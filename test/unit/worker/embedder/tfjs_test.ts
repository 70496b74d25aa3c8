import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { ModelError } from "../../../../shared/errors.ts";
import { toInputPixels } from "../../../../shared/image/mod.ts";
import { selfTest } from "../../../../worker/embedder/self_test.ts";
import { createTfjsEmbedder } from "../../../../worker/embedder/tfjs.ts";
import { picture, tinyModel } from "../../../integration/worker/tiny_model.ts";

const files = await tinyModel();

Deno.test("createTfjsEmbedder() computes unit vectors, and the same for the same pixels, bit for bit", async () => {
  const embedder = await createTfjsEmbedder(files);
  const pixels = await toInputPixels(await picture(1), files.card.input);
  const embedding = await embedder.embed(pixels);
  assert.equal(embedding.length, files.card.embedding.dimensions);
  assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-6);
  assert.deepEqual(await embedder.embed(pixels), embedding);
});

Deno.test("createTfjsEmbedder() keeps no tensor of what it embedded", async () => {
  const embedder = await createTfjsEmbedder(files);
  const pixels = await toInputPixels(await picture(2), files.card.input);
  await embedder.embed(pixels);
  const before = memory().numTensors;
  for (let i = 0; i < 10; i++) await embedder.embed(pixels);
  assert.equal(memory().numTensors, before);
});

Deno.test("createTfjsEmbedder() refuses a graph that tfjs cannot load, in a sentence", async () => {
  const modelJson = { ...files.modelJson, modelTopology: { node: [] } };
  await assert.rejects(
    createTfjsEmbedder({ ...files, modelJson }),
    (error) => error instanceof ModelError && /deno task export/.test(error.message),
  );
});

Deno.test("selfTest() passes a model that reproduces its goldens", async () => {
  assert.ok(await selfTest(await createTfjsEmbedder(files), files.card) > 0.999999);
});

Deno.test("selfTest() refuses a runtime that computes something else", async () => {
  const other = await createTfjsEmbedder(await tinyModel(2));
  await assert.rejects(
    selfTest(other, files.card),
    (error) => error instanceof ModelError && /golden input 0/.test(error.message),
  );
});

Deno.test("selfTest() looks at every golden, and refuses NaN and another size", async () => {
  const embedder = await createTfjsEmbedder(files);
  const [first, second, third] = files.card.goldens;
  for (const embedding of [third.embedding.map(() => NaN), third.embedding.map((x) => -x), third.embedding.slice(1)]) {
    const card = { ...files.card, goldens: [first, second, { ...third, embedding }] };
    await assert.rejects(
      selfTest(embedder, card),
      (error) => error instanceof ModelError && /golden input 2/.test(error.message),
    );
  }
});
