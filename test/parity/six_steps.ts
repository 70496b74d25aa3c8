import * as tf from "@tensorflow/tfjs";
import type { Batches } from "../../trainer/data/batches.ts";
import { fit, type StepRecord } from "../../trainer/fit.ts";
import { BATCH_LAYOUTS, LOSSES, type LossName } from "../../trainer/losses/mod.ts";
import { batchNorm } from "../../trainer/models/batch_norm.ts";
import { l2Normalize } from "../../trainer/models/l2_normalize.ts";
import { prelu } from "../../trainer/models/prelu.ts";
import { relu6 } from "../../trainer/models/relu.ts";
import { wholeNetwork } from "../../trainer/models/split.ts";
import { createOptimizer, trainableVariables, variablesOf } from "../../trainer/optimizers/mod.ts";
import { normal } from "../unit/trainer/engines/gradients.ts";

/** A short training run. */
export interface SixSteps {
  loss: LossName;
  optimizer: "adam" | "adamw" | "sgd";
  /** What sets the run apart from others with its loss, for its name. */
  name: string;
}

/** One run with each loss, and one with each way to take a step. */
export const SIX_STEPS: readonly SixSteps[] = [
  ...(Object.keys(LOSSES) as LossName[]).map((loss): SixSteps => ({ loss, optimizer: "adam", name: "" })),
  { loss: "triplet-hard", optimizer: "adamw", name: ", decay and clipping" },
  { loss: "contrastive", optimizer: "sgd", name: ", decay and clipping" },
];

/** Where a run began and ended. */
export interface Trained {
  losses: number[];
  /** All weights before the first step, moving statistics and the loss's own among them. */
  first: Float32Array[];
  /** The same after the last. */
  weights: Float32Array[];
}

const SIZE = 10, DIMENSIONS = 6, LEARNING_RATE = 0.01;

/** Labels in an order that the loss can learn from. */
const LABELS = {
  any: [0, 0, 1, 1, 2, 2],
  triplets: [0, 1, 0, 1, 1, 2],
  pairs: [0, 1, 2, 0, 1, 1],
};

/** Trains a tiny network of every kind of layer on the engine that runs now. */
export async function trainSixSteps({ loss: lossName, optimizer: algorithm, name }: SixSteps): Promise<Trained> {
  const network = tinyNetwork();
  const { loss, variables: own } = LOSSES[lossName]({ classes: 3, dimensions: DIMENSIONS, seed: 2 });
  const weights = [...variablesOf(network), ...own];
  const bounded = name !== "";
  const optimizer = createOptimizer([...trainableVariables(network), ...own], {
    optimizer: algorithm,
    weightDecay: bounded ? 0.01 : 0,
    momentum: 0.9,
    clipNorm: bounded ? 0.5 : undefined,
  });
  const first = await valuesOf(weights);
  const steps: StepRecord[] = [];
  const forward = wholeNetwork(network);
  await fit({
    below: undefined,
    forward: (x) => forward(x, true),
    unitLength: true,
    loss,
    lossVariables: own,
    optimizer,
    batches: randomBatches(Int32Array.from(LABELS[BATCH_LAYOUTS[lossName] ?? "any"])),
    learningRate: () => LEARNING_RATE,
    startStep: 0,
    endStep: 6,
    stepsPerEpoch: 6,
    teaches: () => true,
    onStep: (record) => steps.push(record),
    onSkip: () => {},
    onEpoch: () => Promise.resolve(true),
    signal: new AbortController().signal,
  });
  const last = await valuesOf(weights);
  optimizer.dispose();
  tf.dispose(weights);
  return { losses: steps.map((step) => step.loss), first, weights: last };
}

function tinyNetwork(): tf.LayersModel {
  const image = tf.input({ shape: [SIZE, SIZE, 3] });
  const layers = [
    tf.layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: "same", useBias: false }),
    batchNorm(),
    relu6(),
    tf.layers.depthwiseConv2d({ kernelSize: 3, padding: "same", useBias: false }),
    batchNorm(),
    prelu({ sharedAxes: [1, 2] }),
    tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
    tf.layers.conv2d({ filters: 8, kernelSize: 1, useBias: false }),
    tf.layers.globalAveragePooling2d({}),
    tf.layers.dense({ units: DIMENSIONS }),
    l2Normalize(),
  ];
  const embedding = layers.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, image);
  const network = tf.model({ inputs: image, outputs: embedding });
  variablesOf(network).forEach((variable, i) => {
    const spread = normal(variable.size, i + 1).map((value) =>
      variable.rank > 1 ? 0.4 * value : 0.5 + 0.2 * Math.abs(value)
    );
    const value = tf.tensor(spread, variable.shape);
    variable.assign(value);
    value.dispose();
  });
  return network;
}

function randomBatches(labels: Int32Array): Batches {
  const shape: [number, number, number, number] = [labels.length, SIZE, SIZE, 3];
  const values = (step: number) => Float32Array.from(normal(labels.length * SIZE * SIZE * 3, 100 + step));
  return {
    at: (step) => Promise.resolve({ values: values(step), shape, labels }),
    waitedMs: () => 0,
    close() {},
  };
}

function valuesOf(variables: readonly tf.Variable[]): Promise<Float32Array[]> {
  return Promise.all(variables.map(async (variable) => Float32Array.from(await variable.data())));
}
