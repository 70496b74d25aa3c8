import * as tf from "@tensorflow/tfjs";
import type { InputSpec } from "../../../../../shared/card.ts";
import { graphOf } from "../../../../../trainer/export/fused.ts";
import { type Int8Graph, int8GraphOf } from "../../../../../trainer/export/int8/int8_graph.ts";
import "../exported.ts";

/** An input of square pictures. */
export function inputOf(size: number): InputSpec {
  const half = [0.5, 0.5, 0.5];
  return { height: size, width: size, channels: 3, fit: "cover", mean: half, std: half };
}

/** Pictures of random waves: neighbours are alike, as in photos. */
export function pictures(count: number, size: number): Uint8Array[] {
  return Array.from({ length: count }, (_, seed) => {
    const colours = tf.randomUniform<tf.Rank.R3>([4, 4, 3], 0, 255, "float32", seed + 1);
    const waves = tf.image.resizeBilinear(colours, [size, size]);
    return Uint8Array.from(waves.dataSync());
  });
}

/** A network in int8, calibrated on pictures of its size. */
export async function int8Of(model: tf.LayersModel, size: number): Promise<Int8Graph> {
  return await int8GraphOf(await graphOf(model), pictures(8, size), inputOf(size));
}
