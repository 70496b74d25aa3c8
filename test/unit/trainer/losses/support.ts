import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { registerTrainingKernels } from "../../../../trainer/engines/wasm/register.ts";
import type {
  DistanceMetric,
  Loss,
  LossName,
  LossSettings,
  LossStatistics,
  TrainableLoss,
} from "../../../../trainer/losses/mod.ts";

/** The numbers of a vector or a matrix. */
export type Values = number[] | number[][];

/** What a reference implementation computed of its batches. */
export interface Golden {
  source: string;
  batches: {
    name: string;
    labels: number[];
    embeddings: number[][];
    /** Of the loss's own variables, in their order. */
    variables?: Values[];
    results: {
      options: Partial<LossSettings>;
      /** Null where the reference is not a number, for want of anything to learn from. */
      loss: number | null;
      gradient: number[];
      variableGradients?: number[][];
    }[];
  }[];
}

/** The golden values of a loss in `test/fixtures/losses`. */
export async function readGolden(name: LossName): Promise<Golden> {
  const file = `../../../fixtures/losses/${name.replaceAll("-", "_")}.json`;
  return JSON.parse(await Deno.readTextFile(new URL(file, import.meta.url)));
}

/** The engines that losses are tested on. */
export const backends: Record<string, () => Promise<unknown>> = {
  wasm: () => (registerTrainingKernels(), useWasmBackend()),
  cpu: () => tf.setBackend("cpu"),
};

/** Loss, gradients and statistics of a batch, the loss's own variables set to the values given. */
export function run(made: Loss | TrainableLoss, labels: number[], embeddings: number[][], values: Values[] = []) {
  const { loss, variables } = typeof made === "function" ? { loss: made, variables: [] } : made;
  let statistics: LossStatistics | undefined;
  tf.tidy(() => values.forEach((value, i) => variables[i].assign(tf.reshape(tf.tensor(value), variables[i].shape))));
  const inputs = [tf.tensor2d(embeddings), ...variables];
  const { value, grads } = tf.valueAndGrads((rows: tf.Tensor) =>
    loss(Int32Array.from(labels), rows as tf.Tensor2D, (seen) => statistics = seen)
  )(inputs);
  const [gradient, ...variableGradients] = grads.map((grad) => [...grad.dataSync()]);
  const result = { loss: value.dataSync()[0], gradient, variableGradients };
  tf.dispose([inputs[0], value, ...grads]);
  assert.ok(statistics);
  return { ...result, statistics };
}

/**
 * Checks a loss against its definition, computed in float64, and its gradients, by the rows and by its own variables,
 * against the definition's differences.
 */
export function assertDefinedBy(
  made: Loss | TrainableLoss,
  labels: number[],
  rows: number[][],
  definition: (rows: number[][], ...variables: number[][][]) => number,
  ...variables: number[][][]
): void {
  const computed = run(made, labels, rows, variables);
  assert.ok(computed.loss > 0.01, `the loss ${computed.loss} is too small to prove anything`);
  assertClose([computed.loss], [definition(rows, ...variables)], "loss");
  const inputs = [rows, ...variables];
  [computed.gradient, ...computed.variableGradients].forEach((gradient, which) => {
    const moved = (values: number[][]) => inputs.with(which, values) as [number[][], ...number[][][]];
    const differences = finiteDifferences(inputs[which], (values) => definition(...moved(values)));
    assertClose(gradient, differences, which === 0 ? "gradient" : `gradient by variable ${which}`);
  });
}

/** Within 1e-5, relative where the expected value is above 1. */
export function assertClose(actual: number[], expected: number[], what: string): void {
  assertRowsClose(actual, expected, 1, what);
}

/** Every row within 1e-5, relative to its largest value where that is above 1. */
export function assertRowsClose(actual: number[], expected: number[], width: number, what: string): void {
  assert.equal(actual.length, expected.length);
  for (let start = 0; start < expected.length; start += width) {
    const row = expected.slice(start, start + width);
    const tolerance = 1e-5 * Math.max(1, ...row.map(Math.abs));
    row.forEach((value, k) => {
      const error = Math.abs(actual[start + k] - value);
      assert.ok(error <= tolerance, `${what}[${start + k}]: ${actual[start + k]} instead of ${value}`);
    });
  }
}

/** Central differences of a function of rows by each of their values. */
export function finiteDifferences(rows: number[][], f: (rows: number[][]) => number, step = 1e-5): number[] {
  return rows.flatMap((row, i) =>
    row.map((_, k) => {
      const at = (shift: number) => f(rows.map((r, j) => r.map((v, l) => (i === j && k === l ? v + shift : v))));
      return (at(step) - at(-step)) / (2 * step);
    })
  );
}

/** Rows of numbers from -1 to 1, exact in float32. */
export function randomRows(count: number, dim: number, seed: number): number[][] {
  const random = mulberry(seed);
  return Array.from({ length: count }, () => Array.from({ length: dim }, () => Math.fround(2 * random() - 1)));
}

/** A distance of two rows straight from its definition. */
export function distanceOf(a: number[], b: number[], metric: DistanceMetric): number {
  if (metric === "angular") return 1 - cosine(a, b);
  const squared = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
  return metric === "L2" ? Math.sqrt(squared) : squared;
}

/** The cosine of two rows. */
export function cosine(a: number[], b: number[]): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** The indices of one identity besides `i`, and of others. */
export function positivesAndNegatives(labels: number[], i: number): { positives: number[]; negatives: number[] } {
  const all = labels.map((_, k) => k);
  return {
    positives: all.filter((k) => k !== i && labels[k] === labels[i]),
    negatives: all.filter((k) => labels[k] !== labels[i]),
  };
}

/** The arithmetic mean; of nothing, 0. */
export function mean(values: number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

/** The sum. */
export function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function dot(a: number[], b: number[]): number {
  return sum(a.map((value, i) => value * b[i]));
}

function mulberry(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
