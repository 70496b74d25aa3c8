import type * as tf from "@tensorflow/tfjs";
import type { Grid } from "../../../shared/card.ts";
import { type Layers, planOf } from "../../../shared/int8/mod.ts";
import { simulate } from "./simulate.ts";

/** What int8 costs at one layer. */
export interface LayerError {
  readonly name: string;
  /** `convolve`, `add` and so on. */
  readonly op: string;
  /** The signal over the error of the layer's value in decibels, with all before it in int8 too: 6 more are one bit more. */
  readonly sqnr: number;
  /** The mean of `1 - cosine` of the embeddings with this layer alone in int8, everything else in float32. */
  readonly loss: number;
}

/**
 * Finds at which layers int8 costs what.
 *
 * @param exact the network in float32
 * @param whole the same network with whole numbers for weights, layer by layer
 * @param batch a few inputs, `[batch, height, width, channels] float32`
 */
export async function layerErrors(
  exact: Layers,
  whole: Layers,
  grids: ReadonlyMap<string, Grid>,
  batch: tf.Tensor,
): Promise<LayerError[]> {
  const float32 = await valuesOf(exact, new Map(), batch), int8 = await valuesOf(whole, grids, batch);
  const embedding = exact.layers.at(-1)!.name;
  const errors: LayerError[] = [];
  for (const [i, { name, op }] of whole.layers.entries()) {
    const grid = grids.get(name);
    if (op !== "convolve" && grid === undefined) continue;
    const layers = exact.layers.map((layer, j) => j === i ? whole.layers[i] : layer);
    const alone = await valuesOf({ ...exact, layers }, new Map(grid && [[name, grid]]), batch, [embedding]);
    errors.push({
      ...{ name, op, sqnr: decibels(float32.get(name)!, int8.get(name)!) },
      loss: meanLoss(float32.get(embedding)!, alone.get(embedding)!, batch.shape[0]),
    });
  }
  return errors;
}

/** One sentence on where most of the error arises. */
export function worstLayers(layers: readonly LayerError[]): string {
  const worst = [...layers].sort((a, b) => b.loss - a.loss).slice(0, 3);
  return `Most of it arises in ${worst.map(({ name }) => name).join(", ")}.`;
}

/** Values in the units of the network, by their names. */
async function valuesOf(
  network: Layers,
  grids: ReadonlyMap<string, Grid>,
  batch: tf.Tensor,
  names = network.layers.map(({ name }) => name),
): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  const simulation = simulate(planOf(network, grids));
  const output = simulation.predict(batch, ({ layer: { name } }, value) => {
    const { scale, zero } = grids.get(name) ?? { scale: 1, zero: 0 };
    if (names.includes(name)) values.set(name, value.dataSync<"float32">().map((code) => (code - zero) * scale));
  });
  await output.data();
  output.dispose();
  simulation.dispose();
  return values;
}

function decibels(signal: Float32Array, noisy: Float32Array): number {
  let power = 0, noise = 0;
  for (let i = 0; i < signal.length; i++) {
    power += signal[i] ** 2;
    noise += (noisy[i] - signal[i]) ** 2;
  }
  return 10 * Math.log10(power / noise);
}

/** Both of rows of unit length. */
function meanLoss(a: Float32Array, b: Float32Array, rows: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / 2 / rows;
}
