import type { Activations } from "../../../../shared/card.ts";
import { gridsOf, type Plan as Int8Plan, planOf, readLayers } from "../../../../shared/int8/mod.ts";
import type { GraphFiles } from "../../../../shared/model_files.ts";
import { fastestBuild, instantiateKernels, type KernelBuild, type Kernels } from "../kernels.ts";
import type { Plan } from "../plan.ts";
import { runnerOf } from "../run.ts";
import { Int8Binding, type Matrix } from "./bind.ts";
import { frameCodes } from "./frames.ts";
import { passesOf } from "./network.ts";

const FLOAT = 4;
const PAGE = 2 ** 16;
/** Bytes of weights that lie beside the packed ones at a time, so that they stay in the second cache. */
const STAGED = 2 ** 17;

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
  const at = binding.at(output) / FLOAT;
  const read = (floats: Float32Array<ArrayBuffer>) => floats.slice(at, at + values[output].channels);
  const steps = binding.steps.flat();
  return {
    build,
    bytes,
    run: runnerOf({ memory, kernels, steps, input: layers.inputShape, image, arena, read, epsilon }),
  };
}

/** Puts int8 inference into memory, with all weights packed. */
export async function loadInt8(plan: Int8Plan, build: KernelBuild) {
  const network = passesOf(plan), { framed, bytes: arenaBytes } = frameCodes(network);
  const binding = new Int8Binding(network, framed, arenaBytes), { addresses, matrices } = binding;
  const room = addresses.end, temporary = Math.max(...matrices.map((matrix) => atOnce(matrix) * rowBytes(matrix)));
  const memory = new WebAssembly.Memory({ initial: Math.ceil((room + temporary) / PAGE) });
  const kernels = await instantiateKernels(build, memory);
  for (const { kernel, args } of addresses.fill(memory)) kernels[kernel](...args);
  for (const matrix of matrices) pack(matrix, room, memory, kernels);
  const kept = room - binding.arenaBytes, arena = binding.arenaBytes + temporary;
  return { memory, kernels, binding, bytes: { kept, arena } };
}

function pack(matrix: Matrix, room: number, memory: WebAssembly.Memory, kernels: Kernels) {
  const { values, taps, inner, stored, columns, to } = matrix;
  const from = new Uint8Array(values.buffer, values.byteOffset, values.byteLength), bytes = rowBytes(matrix);
  const staged = new Uint8Array(memory.buffer, room), rows = taps * stored;
  const each = inner === stored ? 1 : taps, count = taps * inner / each;
  for (let i = 0; i < each; i++) {
    for (let row = 0; row < count; row += atOnce(matrix)) {
      const first = i * count + row, some = Math.min(atOnce(matrix), count - row), target = i * stored + row;
      staged.set(from.subarray(first * bytes, (first + some) * bytes));
      if (values instanceof Uint8Array) kernels.packCodes(room, to, some, columns, rows, target);
      else kernels.packColumns(room - target * bytes, to, rows, columns, target, target + some);
    }
  }
}

function rowBytes({ values, columns }: Matrix): number {
  return columns * values.BYTES_PER_ELEMENT;
}

/** How many rows are packed at a time, fours of them. */
function atOnce(matrix: Matrix): number {
  return 4 * Math.max(1, Math.floor(STAGED / rowBytes(matrix) / 4));
}
