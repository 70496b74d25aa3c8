import { Hono } from "hono";
import { z } from "zod";
import { faceFile, type ModelJson } from "../../shared/model_files.ts";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import type { Services } from "./services.ts";

/** What a fingerprint names never changes. */
const KEPT = { "cache-control": "private, max-age=31536000, immutable" };

const ModelPath = z.object({ fingerprint: z.string().meta({ description: "Of the worker's model, as on its card." }) });

const GRAPH = {
  id: "modelJson",
  summary: "Graph and card of the model",
  description: "The `model.json` of a graph model of TensorFlow.js, which `tf.loadGraphModel` loads from here.",
  scope: "verify",
  params: ModelPath,
  answers: {
    200: {
      description: "The graph, and the whole card as `userDefinedMetadata.triptych`.",
      json: z.custom<ModelJson>().meta({ type: "object" }),
      headers: ["cache-control"],
    },
  },
  problems: [404, 503],
} as const satisfies Contract;

const WEIGHTS = {
  id: "modelWeights",
  summary: "Weights of the model",
  scope: "verify",
  params: ModelPath,
  answers: {
    200: {
      description: "All of them, one after the other as `model.json` lists them.",
      bytes: "application/octet-stream",
      headers: ["cache-control"],
    },
  },
  problems: [404, 503],
} as const satisfies Contract;

const NETWORK = {
  id: "modelNetwork",
  summary: "A file of a network that finds faces, of a model of them",
  scope: "verify",
  params: ModelPath.extend({
    file: z.string().meta({ description: "As the card names it, or the file that it names." }),
  }),
  answers: {
    200: { description: "The file.", bytes: "application/octet-stream", headers: ["cache-control"] },
  },
  problems: [404, 503],
} as const satisfies Contract;

/** `/model/files/{fingerprint}`: the model as a directory, for clients that compute embeddings themselves. */
export function modelFileRoutes({ model, endpoint }: Services) {
  const weights = model.modelJson.weightsManifest.flatMap((group) => group.weights);
  const modelJson: ModelJson = { ...model.modelJson, weightsManifest: [{ paths: ["weights.bin"], weights }] };
  const assertCurrent = (fingerprint: string) => {
    if (fingerprint === model.card.fingerprint) return;
    throw new Problem(404, `This worker's model has another fingerprint; get it from /model.`);
  };
  return new Hono<Env>()
    .get(
      "/model/files/:fingerprint/model.json",
      endpoint(GRAPH, ({ params }) => {
        assertCurrent(params.fingerprint);
        return { status: 200, body: modelJson, headers: KEPT };
      }),
    )
    .get(
      "/model/files/:fingerprint/weights.bin",
      endpoint(WEIGHTS, async ({ params }) => {
        assertCurrent(params.fingerprint);
        return { status: 200, body: await model.readWeights(), headers: KEPT };
      }),
    )
    .get(
      "/model/files/:fingerprint/:file",
      endpoint(NETWORK, async ({ params }) => {
        assertCurrent(params.fingerprint);
        const spec = model.card.face, files = spec && await model.readFace?.();
        const body = files && faceFile(files, spec, params.file);
        if (body === undefined) throw new Problem(404, `The model has no file "${params.file}".`);
        return { status: 200, body, headers: KEPT };
      }),
    );
}
