/**
 * The model in a browser: what the worker serves as `/client/local.js`, for `embedLocally`.
 *
 * @module
 */
import "./jitless.ts";
import { readModelFiles } from "../../shared/model_files.ts";
import { takeWasmFrom, type WasmSource } from "../../shared/wasm_modules.ts";
import { chosen, type FaceChoice, type Look } from "../embedder/look.ts";
import { createQueue } from "../embedder/queue.ts";
import { openEmbedder } from "../embedder/open.ts";

/** What `/match` takes in an image's place. */
export interface LocalEmbedding {
  embedding: number[];
  /** Of the model that the embedding is of. */
  fingerprint: string;
}

/** The worker's model, in this browser. Both throw ImageError for what is no usable image. */
export interface LocalModel {
  /** What the network is shown of an image. */
  look: Look;
  /** From the bytes of an image file to its embedding; of a model of faces, that of the largest face unless told otherwise. */
  embed(image: Uint8Array, choice?: Exclude<FaceChoice, "all">): Promise<LocalEmbedding>;
}

/**
 * Loads the worker's model, and proves on its goldens that this browser computes what the worker does.
 *
 * @param worker its URL, ending in a slash
 * @param fingerprint of its model
 * @param get fetches with the client's key
 * @throws {ModelError} if the model cannot be loaded, or computes something else here
 */
export async function openLocalModel(
  worker: URL,
  fingerprint: string,
  get: (url: string) => Promise<Response>,
): Promise<LocalModel> {
  const fetchWasm: WasmSource = async (name) => {
    const response = await fetch(new URL(`client/${name}.wasm`, worker));
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  takeWasmFrom(fetchWasm);
  const files = await readModelFiles(new URL(`model/files/${fingerprint}`, worker), get);
  const { embedder, look } = await openEmbedder(files, async (files) => {
    const tfjs: typeof import("./tfjs.ts") = await import(new URL("client/tfjs.js", worker).href);
    tfjs.takeWasmFrom(fetchWasm);
    return await tfjs.createTfjsEmbedder(files);
  });
  const queue = createQueue({ limit: Infinity });
  return {
    look: (image) => queue.run(() => look(image)),
    embed: (image, choice = "largest") =>
      queue.run(async () => {
        const [{ pixels }] = chosen(await look(image), choice);
        return { embedding: [...await embedder.embed(pixels)], fingerprint };
      }),
  };
}
