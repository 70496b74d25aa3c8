import assert from "node:assert/strict";
import { QUANTIZED_MAX, quantizeVector } from "../../../shared/quantized_vector.ts";

Deno.test("a quantised vector is off by half a scale at most, and its largest component by nothing", () => {
  const vector = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * i + 1) / 9);
  const quantized = new Int8Array(128);
  const scale = quantizeVector(vector, quantized);
  const errors = vector.map((value, i) => Math.abs(value - scale * quantized[i]));
  assert(Math.max(...errors) <= scale * 0.500001);
  assert.equal(Math.max(...quantized.map(Math.abs)), QUANTIZED_MAX);
});

Deno.test("halves are rounded away from zero", () => {
  const quantized = new Int8Array(3);
  assert.equal(quantizeVector(Float32Array.of(127, 0.5, -0.5), quantized), 1);
  assert.deepEqual([...quantized], [127, 1, -1]);
});

Deno.test("the zero vector has the scale 0", () => {
  const quantized = Int8Array.of(5, 5);
  assert.equal(quantizeVector(new Float32Array(2), quantized), 0);
  assert.deepEqual([...quantized], [0, 0]);
});
