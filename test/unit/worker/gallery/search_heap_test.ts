import assert from "node:assert/strict";
import { wasmModule } from "../../../../shared/wasm_modules.ts";
import { SearchHeap } from "../../../../worker/gallery/search_heap.ts";
import { QuantizedRows } from "../../../../worker/gallery/quantized_rows.ts";
import { randomFrom, unitVector } from "./records.ts";

const plain = await wasmModule("search"), relaxed = await wasmModule("searchRelaxed");

Deno.test("the kernel with relaxed SIMD finds what the one without finds, to the bit", () => {
  for (const dimensions of [3, 32, 100, 128, 512]) {
    const [a, b] = [plain, relaxed].map((module) => {
      const random = randomFrom(dimensions), heap = new SearchHeap(module), address = heap.take(dimensions);
      for (let row = 0; row < 1000; row++) heap.write(address, row, unitVector(random, dimensions));
      heap.prepare(unitVector(random, dimensions));
      return heap.scan(address, 0, 1, dimensions, 3, 1);
    });
    assert.ok(a.rows.length > 10);
    assert.deepEqual(a, b);
  }
});

Deno.test("components at the ends of their ranges overflow in neither kernel", () => {
  for (const module of [plain, relaxed]) {
    const dimensions = 8192, heap = new SearchHeap(module), address = heap.take(dimensions);
    const ones = new Float32Array(dimensions).fill(1);
    heap.write(address, 0, ones);
    heap.write(address, 1, ones.map((value) => -value));
    const { scale } = heap.prepare(ones);
    const { rows, scores } = heap.scan(address, 0, 1, dimensions, 0, -Infinity);
    assert.deepEqual([...rows], [0, 1]);
    scores.forEach((score, i) => assert.ok(Math.abs(score * scale / dimensions - [1, -1][i]) < 1e-5));
  }
});

Deno.test("a scan visits a row that comes into a distance, and none that was cleared", () => {
  const random = randomFrom(4), rows = new QuantizedRows(new SearchHeap(relaxed), 128);
  const vectors = Array.from({ length: 3000 }, () => unitVector(random, 128));
  vectors.forEach((vector, row) => rows.set(row, vector));
  const within = (query: Float32Array, limit: number) => {
    const visited: number[] = [];
    rows.scan(query, (row) => (visited.push(row), limit));
    return visited;
  };
  const visited = within(vectors[2500], 0);
  assert.ok(visited.includes(2500));
  // All until the first full turn of what can be found at once, then next to nothing.
  assert.ok(visited.length < 300, `${visited.length} visited`);
  rows.clear(2500);
  assert.ok(!within(vectors[2500], 0).includes(2500));
});
