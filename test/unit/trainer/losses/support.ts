import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { registerTrainingKernels } from "../../../../trainer/engines/wasm/register.ts";
import type { DistanceMetric, Loss, LossStatistics } from "../../../../trainer/losses/mod.ts";

/** What a reference implementation computed of its batches. */
export interface Golden<Options> {
  source: string;
  batches: {
    name: string;
    labels: number[];
    embeddings: number[][];
    /** The class centres, for losses that have them. */
    centres?: number[][];
    results: { options: Options; loss: number; gradient: number[]; centresGradient?: number[] }[];
  }[];
}

/** The golden values in `test/fixtures/losses`. */
export async function readGolden<Options>(file: string): Promise<Golden<Options>> {
  return JSON.parse(await Deno.readTextFile(new URL(`../../../fixtures/losses/${file}`, import.meta.url)));
}

/** The engines that losses are tested on. */
export const backends: Record<string, () => Promise<unknown>> = {
  wasm: () => (registerTrainingKernels(), useWasmBackend()),
  cpu: () => tf.setBackend("cpu"),
};

/** Declares the tests that every loss without variables must pass. */
export async function testAgainstGolden<Options>(
  name: string,
  file: string,
  create: (options: Options) => Loss,
): Promise<void> {
  const golden = await readGolden<Options>(file);
  for (const [backend, use] of Object.entries(backends)) {
    Deno.test(`${name}() equals ${golden.source}, values and gradients, on ${backend}`, async () => {
      await use();
      assert.ok(golden.batches.length >= 30);
      for (const batch of golden.batches) {
        for (const expected of batch.results) {
          const where = `${batch.name}, ${JSON.stringify(expected.options)}`;
          const { loss, gradient } = run(create(expected.options), batch.labels, batch.embeddings);
          assertClose([loss], [expected.loss], `loss of ${where}`);
          assertRowsClose(gradient, expected.gradient, batch.embeddings[0].length, `gradient of ${where}`);
        }
      }
    });
  }
}

/** Loss, gradient and statistics of a batch. */
export function run(loss: Loss, labels: number[], embeddings: number[][]) {
  let statistics: LossStatistics | undefined;
  const { value, grad } = tf.tidy(() =>
    tf.valueAndGrad((x) => loss(Int32Array.from(labels), x as tf.Tensor2D, (s) => statistics = s))(
      tf.tensor2d(embeddings),
    )
  );
  const result = { loss: value.dataSync()[0], gradient: [...grad.dataSync()] };
  tf.dispose([value, grad]);
  assert.ok(statistics);
  return { ...result, statistics };
}

/** Checks a loss against its definition, computed in float64, and its gradient against the definition's differences. */
export function assertDefinedBy(
  loss: Loss,
  labels: number[],
  rows: number[][],
  definition: (rows: number[][]) => number,
): void {
  const computed = run(loss, labels, rows);
  assert.ok(computed.loss > 0.01, `the loss ${computed.loss} is too small to prove anything`);
  assertClose([computed.loss], [definition(rows)], "loss");
  assertClose(computed.gradient, finiteDifferences(rows, definition), "gradient");
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
