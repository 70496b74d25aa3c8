import { type Tensor, tensor4d, tidy } from "@tensorflow/tfjs-core";
import { loadGraphNetwork } from "../../../shared/graph_network.ts";
import { useWasmBackend } from "../../../shared/tfjs_wasm.ts";
import type { Embed } from "./engines.ts";
import { benchImage, readNetwork } from "./network_files.ts";

/** Loads the network in a folder into stock tfjs, on its WebAssembly backend. */
export async function loadTfjs(folder: string): Promise<Embed> {
  await useWasmBackend();
  const { input, ...files } = await readNetwork(folder);
  const network = await loadGraphNetwork(files);
  const image = benchImage(input), { height, width, channels } = input;
  return async () => {
    const output = tidy(() => network.predict(tensor4d(image, [1, height, width, channels])) as Tensor);
    const embedding = await output.data<"float32">();
    output.dispose();
    return embedding;
  };
}
