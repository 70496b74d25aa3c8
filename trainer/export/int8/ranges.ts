import type * as tf from "@tensorflow/tfjs";
import type { Grid } from "../../../shared/card.ts";
import { CODE_MAX, type Layers, planOf, quantizableValues } from "../../../shared/int8/mod.ts";
import { simulate } from "./simulate.ts";

const BINS = 2048;

/** What a value of a network was on some images. */
export interface Range {
  /** How often it fell into each of {@link BINS} equal parts of the way from `low` to `high`. */
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
}

/**
 * Runs a network in float32, and measures the values that int8 inference keeps as codes.
 *
 * @param batches the network's input, `[batch, height, width, channels] float32`, as often as it is asked for
 */
export async function measureRanges(network: Layers, batches: Batches): Promise<Map<string, Range>> {
  const extremes = new Map<string, { low: number; high: number }>();
  await eachValue(network, batches, (name, values) => {
    let { low, high } = extremes.get(name) ?? { low: 0, high: 0 };
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    extremes.set(name, { low, high });
  });
  const ranges = new Map([...extremes].map(([name, range]) => [name, { ...range, counts: new Float64Array(BINS) }]));
  await eachValue(network, batches, (name, values) => {
    const { low, high, counts } = ranges.get(name)!;
    const factor = BINS / (high - low || 1);
    for (let i = 0; i < values.length; i++) counts[Math.min(BINS - 1, Math.floor((values[i] - low) * factor))]++;
  });
  return ranges;
}

/** Gives the images again at every call. */
export type Batches = () => Iterable<tf.Tensor4D>;

async function eachValue(
  network: Layers,
  batches: Batches,
  see: (name: string, values: Float32Array) => void,
): Promise<void> {
  const wanted = new Set(quantizableValues(network).map(({ name }) => name));
  const simulation = simulate(planOf(network, new Map()));
  for (const batch of batches()) {
    const output = simulation.predict(batch, ({ layer }, value) => {
      if (wanted.has(layer.name)) see(layer.name, value.dataSync<"float32">());
    });
    await output.data();
    output.dispose();
    batch.dispose();
  }
  simulation.dispose();
}

/** What shares of the whole range are tried as the range of the codes. */
const SHARES = Array.from({ length: 40 }, (_, i) => 1 - i / 50);

/**
 * The codes of a value: of those ranges that are a share of its whole range, the one with the least mean squared error. What is
 * beyond it is clipped.
 */
export function bestGrid(range: Range): Grid {
  const tried = SHARES.map((share) => gridOver(share * range.low, share * range.high));
  const errors = tried.map((grid) => squaredError(range, grid));
  return tried[errors.indexOf(Math.min(...errors))];
}

/** The codes of a range, of which 0 is one: what is 0, such as a border, stays 0. */
export function gridOver(low: number, high: number): Grid {
  const scale = Math.fround((high - low) / CODE_MAX) || 1;
  return { scale, zero: Math.min(CODE_MAX, Math.round(Math.abs(low) / scale)) };
}

function squaredError({ low, high, counts }: Range, { scale, zero }: Grid): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const value = low + (i + 0.5) * (high - low) / counts.length;
    const code = Math.min(CODE_MAX, Math.max(0, Math.round(value / scale) + zero));
    // Within a step the middle of a bin stands for all of it: its own width adds the same to every grid.
    sum += counts[i] * ((code - zero) * scale - value) ** 2;
  }
  return sum;
}
