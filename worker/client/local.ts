/**
 * The model in a browser: what the worker serves as `/client/local.js`, for `embedLocally`.
 *
 * @module
 */
import { toInputPixels } from "../../shared/image/mod.ts";
import { readModelFiles } from "../../shared/model_files.ts";
import { takeWasmFrom, type WasmSource } from "../../shared/wasm_modules.ts";
import { createQueue } from "../embedder/queue.ts";
import { openEmbedder } from "../embedder/open.ts";

/** What `/match` takes in an image's place. */
export interface LocalEmbedding {
  embedding: number[];
  /** Of the model that the embedding is of. */
  fingerprint: string;
}

/** From the bytes of an image file to its embedding. It throws ImageError for what is no usable image. */
export type LocalEmbedder = (image: Uint8Array) => Promise<LocalEmbedding>;

/**
 * Loads the worker's model, and proves on its goldens that this browser computes what the worker does.
 *
 * @param worker its URL, ending in a slash
 * @param fingerprint of its model
 * @param get fetches with the client's key
 * @throws {ModelError} if the model cannot be loaded, or computes something else here
 */
export async function createLocalEmbedder(
  worker: URL,
  fingerprint: string,
  get: (url: string) => Promise<Response>,
): Promise<LocalEmbedder> {
  const fetchWasm: WasmSource = async (name) => {
    const response = await fetch(new URL(`client/${name}.wasm`, worker));
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  takeWasmFrom(fetchWasm);
  const files = await readModelFiles(new URL(`model/files/${fingerprint}`, worker), get);
  const { embedder } = await openEmbedder(files, async (files) => {
    const tfjs: typeof import("./tfjs.ts") = await import(new URL("client/tfjs.js", worker).href);
    tfjs.takeWasmFrom(fetchWasm);
    return await tfjs.createTfjsEmbedder(files);
  });
  const queue = createQueue(Infinity);
  return async (image) => {
    const embedding = await queue.run(async () => embedder.embed(await toInputPixels(image, files.card.input)));
    return { embedding: [...embedding], fingerprint };
  };
}
