import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import type { Sampler } from "../../../../trainer/data/sampler.ts";

/** 10 identities with 7 images each, one with 2 images (rows 70 and 71) and one with a single image (row 72). */
export const LABELS = [...Array.from({ length: 70 }, (_, i) => i % 10), 10, 10, 11];

/** How often each value occurs. */
export function countBy(values: number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** The batches of the first steps. */
export function batchesOf(sampler: Sampler, steps: number): number[][] {
  return Array.from({ length: steps }, (_, step) => sampler(step));
}

/** Declares the tests that every sampler that knows identities must pass. */
export function testSampler(name: string, create: (labels: number[], seed: number) => Sampler): void {
  Deno.test(`${name}() gives the same batch for the same step and seed, in any order of asking`, () => {
    const ahead = batchesOf(create(LABELS, 5), 30), backwards = create(LABELS, 5);
    for (let step = 29; step >= 0; step--) assert.deepEqual(backwards(step), ahead[step]);
    assert.notDeepEqual(create(LABELS, 6)(0), ahead[0]);
  });

  Deno.test(`${name}() shows every image of every identity, a single one too`, () => {
    assert.equal(new Set(batchesOf(create(LABELS, 5), 200).flat()).size, LABELS.length);
  });

  Deno.test(`${name}() refuses data of one identity, or without two images of any`, () => {
    for (const labels of [[3, 3, 3], [1, 2, 3]]) {
      assert.throws(
        () => create(labels, 1),
        (error) => error instanceof DataError && /add .*photo/.test(error.message),
      );
    }
  });
}
