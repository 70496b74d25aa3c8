import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type Info, reshaped, runElementwise } from "./program.ts";

/** As many workgroups as keep a large GPU busy: some eight on each of its 132 (H100) or fewer multiprocessors. */
const BUSY = 1024;

/** How a long sum is shared among workgroups: each sums a stretch of it, and {@link sumOfSplits} adds up what they found. */
export interface Split {
  /** Stretches. */
  count: number;
  /** Terms of each but the last, which may have fewer. */
  terms: number;
}

/**
 * Splits a sum so that the GPU is busy, into stretches that are worth a workgroup.
 *
 * @param terms of the whole sum
 * @param workgroups that work on one stretch
 * @param step the terms of a stretch are a multiple of this
 * @param least terms of a stretch
 */
export function splitOf(
  terms: number,
  { workgroups, step, least }: Record<"workgroups" | "step" | "least", number>,
): Split {
  const wanted = Math.min(Math.ceil(BUSY / workgroups), Math.ceil(terms / least));
  const each = Math.ceil(terms / wanted / step) * step;
  return { count: Math.ceil(terms / each), terms: each };
}

/**
 * Adds up the rows of `[splits, size]`, always in the same order, so that a run repeated gives the same bits. Frees its
 * input.
 *
 * @param shape of the result
 * @param factor of the sums
 */
export function sumOfSplits(backend: WebGPUBackend, partial: Info, shape: number[], factor = 1): Info {
  const splits = partial.shape[0];
  if (splits === 1 && factor === 1) return reshaped(partial, shape);
  const sum = runElementwise(backend, {
    key: "sumOfSplits",
    inputs: ["partial"],
    shape,
    expression: "sumAt(index)",
    uniforms: { splits },
    floats: { factor },
    declarations: `
fn sumAt(index: i32) -> f32 {
  var sum = 0.0;
  for (var split = 0; split < uniforms.splits; split++) { sum += partial[split * uniforms.elements + index]; }
  return sum * uniforms.factor;
}`,
  }, [partial]);
  backend.disposeData(partial.dataId);
  return sum;
}
