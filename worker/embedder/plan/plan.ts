import type { InputSpec } from "../../../shared/card.ts";
import type { GraphFiles } from "../../../shared/model_files.ts";
import { bind } from "./bind.ts";
import { type Framed, pixelAt } from "./frames.ts";
import { fuse } from "./fuse.ts";
import { readGraph } from "./graph.ts";
import { fastestBuild, instantiateKernels, type KernelBuild } from "./kernels.ts";
import { lower } from "./lower.ts";
import type { Output, Value } from "./layers.ts";
import { pack } from "./pack.ts";

const FLOAT = 4;
const PAGE = 2 ** 16;

/** A network that is ready to run. */
export interface Plan {
  build: KernelBuild;
  /** Bytes of weights, as they lie packed, with tables; and of the activations with all that is only needed for a time. */
  bytes: { kept: number; arena: number };
  /**
   * @param image `[height, width, channels] float32`
   * @returns the output, float32: of an embedder `[dim]`
   */
  run(image: Float32Array): Float32Array<ArrayBuffer>;
}

/**
 * Compiles a graph model: its operations become fused layers, each at a place of its own in one memory, with weights packed
 * for the kernels.
 *
 * @param build default: the fastest that this runtime takes
 * @throws {UncoveredGraphError} if the graph has an operation that no layer stands for
 */
export async function compilePlan(
  files: GraphFiles,
  input: Pick<InputSpec, "height" | "width" | "channels">,
  build = fastestBuild(),
): Promise<Plan> {
  const graph = readGraph(files);
  const network = fuse(lower(graph, input));
  const { framed, arena, bytes, vectors, packings, room, tables, steps } = bind(network, graph);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes.all / PAGE) });
  const kernels = await instantiateKernels(build, memory);
  const floats = new Float32Array(memory.buffer);
  for (const { at, values } of vectors) floats.set(values, at / FLOAT);
  for (const packing of packings) {
    // What was packed there before, to be transformed, must not shine through.
    if (packing.transformed !== null) floats.fill(0, arena / FLOAT, room / FLOAT);
    pack(packing, room, memory, kernels);
  }
  for (const { kernel, args } of tables) kernels[kernel](...args);
  floats.fill(0, arena / FLOAT);

  const [image] = framed, { epsilon, output } = network;
  const first = arena + pixelAt(image, 0, 0);
  return {
    build,
    bytes,
    run(pixels) {
      clearBorder();
      writeImage(pixels);
      for (const { kernel, args } of steps) kernels[kernel](...args);
      const result = assembled(output, (value) => read(framed[value], network.values[value]));
      return epsilon === null ? result : unitLength(result, epsilon);
    },
  };

  /** A value without its frame and the channels that only fill up. */
  function read(stored: Framed, { height, width, channels }: Value): Float32Array<ArrayBuffer> {
    const values = new Float32Array(height * width * channels);
    for (let row = 0, to = 0; row < height; row++) {
      for (let column = 0; column < width; column++, to += channels) {
        const from = (arena + pixelAt(stored, row, column)) / FLOAT;
        values.set(floats.subarray(from, from + channels), to);
      }
    }
    return values;
  }

  function clearBorder(): void {
    const start = (arena + image.offset) / FLOAT;
    floats.fill(0, start, start + image.bytes / FLOAT);
  }

  function writeImage(pixels: Float32Array): void {
    const { height, width, channels } = input;
    for (let i = 0; i < height; i++) {
      const at = (first + i * image.rowBytes) / FLOAT,
        row = pixels.subarray(i * width * channels, (i + 1) * width * channels);
      if (channels === image.channels) floats.set(row, at);
      else row.forEach((value, j) => floats[at + Math.floor(j / channels) * image.channels + j % channels] = value);
    }
  }
}

/** An output out of the values that make it. */
function assembled(output: Output, read: (value: number) => Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  if ("value" in output) return read(output.value);
  const parts = output.parts.map((part) => assembled(part, read));
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  for (let i = 0, at = 0; i < output.outer; i++) {
    for (const part of parts) {
      const length = part.length / output.outer;
      whole.set(part.subarray(i * length, (i + 1) * length), at);
      at += length;
    }
  }
  return whole;
}

function unitLength(vector: Float32Array<ArrayBuffer>, least: number): Float32Array<ArrayBuffer> {
  const squares = vector.reduce((sum, value) => sum + value * value, 0);
  const factor = 1 / Math.sqrt(Math.max(squares, least));
  return vector.map((value) => value * factor);
}
