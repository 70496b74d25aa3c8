import { type Framed, pixelAt } from "./frames.ts";
import type { Kernels, Step } from "./kernels.ts";
import type { Value } from "./layers.ts";

const FLOAT = 4;

/** A network in memory. */
interface Runnable {
  memory: WebAssembly.Memory;
  kernels: Kernels;
  steps: readonly Step[];
  /** Size of the images. */
  input: Value;
  /** Where the image goes, float32, from the address `arena` on. */
  image: Framed;
  arena: number;
  /** Gives the output out of the memory, as floats. */
  read(floats: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
  /** Squared length below which the embedding is not scaled to unit length; null if it never is. */
  epsilon: number | null;
}

/** @returns a function from an image `[height, width, channels] float32` to the output, of an embedder `[dim] float32` */
export function runnerOf({ memory, kernels, steps, input, image, arena, read, epsilon }: Runnable) {
  const floats = new Float32Array(memory.buffer as ArrayBuffer);
  const { height, width, channels } = input;
  const first = arena + pixelAt(image, 0, 0), frame = (arena + image.offset) / FLOAT;
  return (pixels: Float32Array): Float32Array<ArrayBuffer> => {
    floats.fill(0, frame, frame + image.bytes / FLOAT);
    for (let i = 0; i < height; i++) {
      const at = (first + i * image.rowBytes) / FLOAT;
      const row = pixels.subarray(i * width * channels, (i + 1) * width * channels);
      if (channels === image.channels) floats.set(row, at);
      else row.forEach((value, j) => floats[at + Math.floor(j / channels) * image.channels + j % channels] = value);
    }
    for (const { kernel, args } of steps) kernels[kernel](...args);
    const output = read(floats);
    return epsilon === null ? output : unitLength(output, epsilon);
  };
}

function unitLength(vector: Float32Array<ArrayBuffer>, least: number): Float32Array<ArrayBuffer> {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  const factor = 1 / Math.sqrt(Math.max(squares, least));
  return vector.map((value) => value * factor);
}
