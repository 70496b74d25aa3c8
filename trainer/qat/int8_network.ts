import type * as tf from "@tensorflow/tfjs";
import type { Activations, Grid } from "../../shared/card.ts";
import { gridsOf, type Plan, planOf, readLayers } from "../../shared/int8/mod.ts";
import { graphOf } from "../export/fused.ts";
import { toGraphDef } from "../export/graph_def.ts";
import { filesOf } from "../export/int8/int8_graph.ts";
import { quantizeKernels } from "../export/int8/per_channel.ts";
import { computationOf, simulate } from "../export/int8/simulate.ts";
import { isLinear } from "../export/ir.ts";
import type { Outputs } from "../models/split.ts";
import { weightFolder } from "./folded_weights.ts";
import { roundedWeights } from "./rounded_weights.ts";

/**
 * A network as int8 inference computes it, to be trained for that: the plan of its export, by the same operations, with the
 * weights that the network has whenever it is called, and differentiable in them. Gradients go straight through all
 * roundings, and are 0 where a code was clamped (Jacob et al. 2018, "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference", section 3). BatchNorm is folded by its moving statistics, which stay, as do
 * PReLU's slopes.
 *
 * @param activations the grids of the network's values
 * @returns from `[batch, height, width, channels] float32` to what the last two layers give
 * @throws {ModelError} if the network has an operation that int8 inference does not know
 */
export async function int8Network(model: tf.LayersModel, activations: Activations): Promise<(x: tf.Tensor) => Outputs> {
  const graph = quantizeKernels(await graphOf(model));
  const plan = planOf(readLayers(filesOf(toGraphDef(graph), "none")), gridsOf(activations));
  const nodes = graph.nodes.filter(isLinear), folded = weightFolder(model), grids = codesOf(plan);
  const last = plan.steps.at(-1)!;
  const raw = simulate({ ...plan, steps: plan.steps.slice(0, -1) }, {
    convolution(step) {
      const weights = folded(nodes.find(({ bias }) => bias?.name === step.layer.biasName)!);
      return () => roundedWeights(weights(), step, grids.get(step.layer.input));
    },
    dense: ({ name }) => folded(nodes.find((node) => node.name === name)!),
  });
  const normalized = computationOf(last, (tensor) => tensor);
  return (x) => {
    const features = raw.predict(x) as tf.Tensor2D;
    return { raw: features, embeddings: normalized(new Map([[last.layer.input, features]])) as tf.Tensor2D };
  };
}

/** The grids of what the convolutions of a plan take. */
function codesOf({ steps }: Plan): Map<string, Grid> {
  return new Map(steps.flatMap((step) => {
    const grid = "finish" in step ? step.finish.grid : step.grid;
    return grid === null ? [] : [[step.layer.name, grid]];
  }));
}
