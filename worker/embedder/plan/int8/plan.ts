import type { Activations } from "../../../../shared/card.ts";
import { gridsOf, type Plan as Int8Plan, planOf, readLayers } from "../../../../shared/int8/mod.ts";
import type { GraphFiles } from "../../../../shared/model_files.ts";
import { fastestBuild, instantiateKernels, type KernelBuild, type Kernels } from "../kernels.ts";
import type { Plan } from "../plan.ts";
import { runnerOf } from "../run.ts";
import { Int8Binding, type Matrix } from "./bind.ts";
import { frameCodes } from "./frames.ts";
import { passesOf } from "./network.ts";

const PAGE = 2 ** 16, FLOAT = 4;

/**
 * Compiles a graph model for int8 inference: see `compilePlan`. What it computes is defined by `shared/int8/plan.ts`;
 * weights stay whole numbers of 8 bits.
 *
 * @param activations the grids of the model's card
 * @throws {ModelError} if the graph has an operation that int8 inference lacks
 * @throws {UncoveredGraphError} if it has another use of one
 */
export async function compileInt8Plan(
  files: GraphFiles,
  activations: Activations,
  build = fastestBuild(),
): Promise<Plan> {
  const layers = readLayers(files);
  const { memory, kernels, binding, bytes } = await loadInt8(planOf(layers, gridsOf(activations)), build);
  const { arena, framed: [image], network: { values, output, epsilon } } = binding;
  const embedding = { output: binding.at(output), dimensions: values[output].channels, epsilon };
  const steps = binding.steps.flat();
  return {
    build,
    bytes,
    run: runnerOf({ memory, kernels, steps, input: layers.inputShape, image, arena, ...embedding }),
  };
}

/** Puts int8 inference into memory, with all weights packed. */
export async function loadInt8(plan: Int8Plan, build: KernelBuild) {
  const network = passesOf(plan), { framed, bytes: arenaBytes } = frameCodes(network);
  const binding = new Int8Binding(network, framed, arenaBytes), { addresses, matrices } = binding;
  const room = addresses.end, temporary = Math.max(...matrices.map(({ values }) => values.byteLength));
  const memory = new WebAssembly.Memory({ initial: Math.ceil((room + temporary) / PAGE) });
  const kernels = await instantiateKernels(build, memory);
  for (const { kernel, args } of addresses.fill(memory)) kernels[kernel](...args);
  for (const matrix of matrices) pack(matrix, room, memory, kernels);
  const kept = room - binding.arenaBytes, arena = binding.arenaBytes + temporary;
  return { memory, kernels, binding, bytes: { kept, arena } };
}

function pack(
  { values, taps, inner, stored, columns, to }: Matrix,
  room: number,
  memory: WebAssembly.Memory,
  kernels: Kernels,
) {
  const rows = taps * stored;
  new Uint8Array(memory.buffer, room).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const each = inner === stored ? 1 : taps, count = taps * inner / each;
  for (let i = 0; i < each; i++) {
    if (values instanceof Uint8Array) {
      kernels.packCodes(room + i * count * columns, to, count, columns, rows, i * stored);
    } else {
      const target = i * stored;
      kernels.packColumns(room + (i * count - target) * columns * FLOAT, to, rows, columns, target, target + count);
    }
  }
}
