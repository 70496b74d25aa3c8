import type { InputSpec } from "../../../shared/card.ts";
import type { GraphFiles } from "../../../shared/model_files.ts";
import { bind } from "./bind.ts";
import { fuse } from "./fuse.ts";
import { readGraph } from "./graph.ts";
import { fastestBuild, instantiateKernels, type KernelBuild } from "./kernels.ts";
import { lower } from "./lower.ts";
import { pack } from "./pack.ts";
import { readOutput } from "./read_output.ts";
import { runnerOf } from "./run.ts";

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
  const { framed, arena, bytes, addresses, packings, room, steps } = bind(network, graph);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes.all / PAGE) });
  const kernels = await instantiateKernels(build, memory);
  const floats = new Float32Array(memory.buffer);
  const tables = addresses.fill(memory);
  for (const packing of packings) {
    // What was packed there before, to be transformed, must not shine through.
    if (packing.transformed !== null) floats.fill(0, arena / FLOAT, room / FLOAT);
    pack(packing, room, memory, kernels);
  }
  for (const { kernel, args } of tables) kernels[kernel](...args);
  floats.fill(0, arena / FLOAT);

  const [image] = framed, { epsilon } = network;
  const read = (floats: Float32Array<ArrayBuffer>) => readOutput(floats, network, framed, arena);
  return { build, bytes, run: runnerOf({ memory, kernels, steps, input, image, arena, read, epsilon }) };
}
