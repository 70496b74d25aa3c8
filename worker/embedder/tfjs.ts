import { type Tensor, tensor4d, tidy } from "@tensorflow/tfjs-core";
import type { GraphModel } from "@tensorflow/tfjs-converter";
import { messageOf, ModelError } from "../../shared/errors.ts";
import { loadGraphNetwork } from "../../shared/graph_network.ts";
import { normalize } from "../../shared/image/mod.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import { useWasmBackend } from "../../shared/tfjs_wasm.ts";
import type { Embedder } from "./embedder.ts";

/**
 * The reference embedder: any tfjs graph model, on tfjs's WebAssembly SIMD backend.
 *
 * @throws {ModelError} if tfjs cannot load the model
 */
export async function createTfjsEmbedder(files: ModelFiles): Promise<Embedder> {
  await useWasmBackend();
  const { input: spec } = files.card;
  const network = await load(files);
  return {
    async embed(pixels) {
      const output = tidy(() => {
        const input = tensor4d(normalize(pixels, spec), [1, spec.height, spec.width, spec.channels]);
        return network.predict(input) as Tensor;
      });
      try {
        return await output.data() as Float32Array;
      } finally {
        output.dispose();
      }
    },
  };
}

async function load(files: ModelFiles): Promise<GraphModel> {
  try {
    return await loadGraphNetwork(files);
  } catch (error) {
    throw new ModelError(`tfjs cannot load the model: ${messageOf(error)}; write it again with \`deno task export\`.`);
  }
}
