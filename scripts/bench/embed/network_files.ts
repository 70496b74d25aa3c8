import type { Activations } from "../../../shared/card.ts";
import type { GraphFiles } from "../../../shared/model_files.ts";
import { readFile } from "../../../shared/read_file.ts";

/** Height, width and channels of images. */
export interface ImageSize {
  height: number;
  width: number;
  channels: 1 | 3;
}

/** A graph with its weights in a folder, for a process that measures it. */
export interface NetworkFiles extends GraphFiles {
  input: ImageSize;
  /** Of a network in int8. */
  activations?: Activations;
}

/** Writes a network where `readNetwork` finds it. */
export async function writeNetwork(folder: string, { weights, ...graph }: NetworkFiles): Promise<void> {
  await Deno.writeTextFile(`${folder}/graph.json`, JSON.stringify(graph));
  await Deno.writeFile(`${folder}/weights.bin`, weights);
}

/** Reads a network. */
export async function readNetwork(folder: string): Promise<NetworkFiles> {
  const text = new TextDecoder().decode(await readFile(`${folder}/graph.json`));
  const graph = JSON.parse(text) as Omit<NetworkFiles, "weights">;
  return { ...graph, weights: await readFile(`${folder}/weights.bin`) };
}

/** The image that all embed: `[height, width, channels] float32`, from -1 to 1. */
export function benchImage({ height, width, channels }: ImageSize): Float32Array<ArrayBuffer> {
  const image = new Float32Array(height * width * channels);
  for (let i = 0; i < image.length; i++) image[i] = Math.sin(i * 0.7) * Math.cos(i * 0.013);
  return image;
}
