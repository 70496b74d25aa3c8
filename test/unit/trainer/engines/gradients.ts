import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";

/** A function of tensors, with the shapes of its arguments. */
export interface Case {
  shapes: number[][];
  compute: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** Makes the arguments' values from normally distributed ones. */
  prepare?: (x: tf.Tensor) => tf.Tensor;
}

/** Value and gradients of `sum(sin(compute(inputs)))` on an engine, the same inputs on each. */
export async function valueAndGradients(engine: string, { shapes, compute, prepare }: Case): Promise<Float32Array[]> {
  await chooseEngine(engine);
  const tensors = tf.tidy(() => {
    const inputs = shapes.map((shape, i) => {
      const values = tf.tensor(normal(shape.reduce((a, b) => a * b, 1), i + 1), shape, "float32");
      return prepare?.(values) ?? values;
    });
    const { value, grads } = tf.valueAndGrads((...args) => tf.sum(tf.sin(compute(...args))))(inputs);
    return [value, ...grads];
  });
  const values = await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  tf.dispose(tensors);
  return values;
}

/** Asserts that the wasm engine's value and gradients are the cpu engine's, to 1e-4 of the greatest. */
export async function assertAgrees(name: string, example: Case): Promise<void> {
  const expected = await valueAndGradients("cpu", example);
  const actual = await valueAndGradients("wasm", example);
  expected.forEach((values, i) =>
    assertClose(actual[i], values, 1e-4, `${name}, ${i === 0 ? "value" : `gradient ${i}`}`)
  );
}

/** Asserts that two arrays differ by less than `tolerance` times the greatest magnitude (or 1e-3, if that is less). */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  name: string,
): void {
  assert.equal(actual.length, expected.length, name);
  let greatest = 1e-3;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Number.isFinite(actual[i]), `${name}: ${actual[i]} at ${i}`);
    greatest = Math.max(greatest, Math.abs(expected[i]));
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
  }
  assert.ok(difference <= tolerance * greatest, `${name}: differs by ${difference} where the greatest is ${greatest}`);
}

/** Normally distributed numbers, the same for the same seed on every engine (mulberry32, Box-Muller). */
export function normal(length: number, seed: number): Float32Array {
  let state = seed * 0x9e3779b9;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Float32Array.from(
    { length },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
