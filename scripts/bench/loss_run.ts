import * as tf from "@tensorflow/tfjs";
import type { Config } from "../../trainer/config.ts";
import { labelsOf } from "../../trainer/data/batches.ts";
import type { Probe } from "../../trainer/data/photos.ts";
import { prefetchBatches } from "../../trainer/data/prefetch.ts";
import { embedAll } from "../../trainer/embed.ts";
import { fusedNetwork } from "../../trainer/export/mod.ts";
import { fit, hasTriplet, type StepRecord } from "../../trainer/fit.ts";
import { BATCH_LAYOUTS, LOSSES } from "../../trainer/losses/mod.ts";
import { leaveOneOut } from "../../trainer/metrics/mod.ts";
import { inputOf } from "../../trainer/models/pixel_scales.ts";
import { wholeNetwork } from "../../trainer/models/split.ts";
import { createNetwork } from "../../trainer/network.ts";
import { createOptimizer, trainableVariables, variablesOf } from "../../trainer/optimizers/mod.ts";
import { globalNorm } from "../../trainer/optimizers/global_norm.ts";
import { samplerOf } from "../../trainer/sampling.ts";
import type { Digits } from "./digits.ts";

/** Euclidean length of the gradient by the kernel of the first convolution, and by that of the embedding's dense layer. */
export interface LayerGradients {
  first: number;
  last: number;
}

/** How well images find another image of their identity. */
export interface Recall {
  recallAt1: number;
  mapAtR: number;
}

/** A training run that goes on when it is told to, so that several can take turns. */
export interface LossRun {
  /** Trains up to a step. */
  advance(step: number): Promise<{ records: StepRecord[]; seconds: number }>;
  /** On the batch of a step, with the weights of now. */
  layerGradients(step: number): Promise<LayerGradients>;
  /** Judges embeddings of unit length, as those of every exported model are. */
  judge(probes: Probe[]): Promise<Recall>;
  /** Recall@1 where the nearest image is the one that siamese-bce's own dense unit finds likeliest; other losses have none. */
  recallByHead(probes: Probe[]): Promise<number | undefined>;
  dispose(): void;
}

/**
 * Starts the run of a configuration, at a constant learning rate. Batches are made when they are asked for, so that all runs
 * wait for theirs alike.
 *
 * @param options.negativeHead of siamese-bce: whether its dense unit starts with weights that are all negative and a bias at
 * which the first batch's mean logit is 0, so that a greater difference speaks against one identity from the first step on
 */
export async function startLossRun(
  config: Config,
  { photos }: Digits,
  { negativeHead = false } = {},
): Promise<LossRun> {
  const input = inputOf(config);
  const labels = labelsOf(photos);
  const model = await createNetwork(config);
  const whole = wholeNetwork(model);
  const { loss, variables } = LOSSES[config.loss]({
    classes: new Set(labels).size,
    dimensions: config.dimensions,
    seed: config.seed,
  });
  const optimizer = createOptimizer([...trainableVariables(model), ...variables], config);
  const batches = prefetchBatches({
    photos,
    input,
    sampler: samplerOf(labels, 0, config, undefined),
    augmentation: config,
    seed: config.seed,
    threads: 0,
  });
  const seenByLoss = (images: tf.Tensor, training: boolean) => {
    const { raw, embeddings } = whole(images, training);
    return config.unitLength ? embeddings : raw;
  };
  if (negativeHead) {
    const { values, shape } = await batches.at(0, 1);
    probe(model, () => makeNegative(variables, seenByLoss(tf.tensor(values, shape), true)));
  }
  let done = 0;
  return {
    async advance(step) {
      const records: StepRecord[] = [];
      const started = performance.now();
      await fit({
        below: undefined,
        forward: (x) => whole(x, true),
        unitLength: config.unitLength,
        loss,
        lossVariables: variables,
        optimizer,
        batches,
        learningRate: () => config.learningRate,
        startStep: done,
        endStep: step,
        stepsPerEpoch: step,
        onStep: (record) => records.push(record),
        teaches: BATCH_LAYOUTS[config.loss] === undefined ? hasTriplet : () => true,
        onSkip: () => {},
        onEpoch: () => Promise.resolve(true),
        signal: new AbortController().signal,
      });
      done = step;
      return { records, seconds: (performance.now() - started) / 1000 };
    },
    async layerGradients(step) {
      const { values, shape, labels } = await batches.at(step, step + 1);
      const kernels = ["first", "last"].map((end) => kernelAt(model, end as keyof LayerGradients));
      const norms = probe(model, () => {
        const images = tf.tensor(values, shape);
        const { grads } = tf.variableGrads(() => loss(labels, seenByLoss(images, true)), kernels);
        return tf.stack(kernels.map(({ name }) => globalNorm([grads[name]])));
      });
      const [first, last] = await norms.data();
      norms.dispose();
      return { first, last };
    },
    async judge(probes) {
      const fused = await fusedNetwork(model);
      const embeddings = await embedAll(fused, probes, input);
      fused.dispose();
      const { recallAt, mapAtR } = leaveOneOut({ embeddings, labels: labelsOf(probes) }, [1]);
      return { recallAt1: recallAt[1], mapAtR };
    },
    async recallByHead(probes) {
      if (config.loss !== "siamese-bce") return undefined;
      const predict = (batch: tf.Tensor) => seenByLoss(batch, false);
      const embeddings = await embedAll({ predict }, probes, input);
      return recallByLogit(embeddings, labelsOf(probes), await variables[0].data<"float32">());
    },
    dispose() {
      batches.close();
      optimizer.dispose();
      tf.dispose([...variables]);
      model.dispose();
    },
  };
}

/** Runs a batch that is not trained on, which BatchNorm's moving statistics must not follow. */
function probe<T extends tf.TensorContainer>(model: tf.LayersModel, run: () => T): T {
  return tf.tidy(() => {
    const statistics = variablesOf(model).map((variable) => ({
      variable,
      value: variable.clone(),
    }));
    const result = run();
    statistics.forEach(({ variable, value }) => variable.assign(value));
    return result;
  });
}

function recallByLogit(embeddings: Float32Array, labels: Int32Array, kernel: Float32Array): number {
  const logit = (a: number, b: number) =>
    kernel.reduce(
      (sum, weight, i) =>
        sum + weight * Math.abs(embeddings[a * kernel.length + i] - embeddings[b * kernel.length + i]),
      0,
    );
  let hits = 0;
  for (let query = 0; query < labels.length; query++) {
    let best = -Infinity, found = -1;
    for (let other = 0; other < labels.length; other++) {
      const value = other === query ? -Infinity : logit(query, other);
      if (value > best) [best, found] = [value, labels[other]];
    }
    if (found === labels[query]) hits++;
  }
  return hits / labels.length;
}

function makeNegative([kernel, bias]: readonly tf.Variable[], embeddings: tf.Tensor2D): void {
  const [first, second] = tf.split<tf.Tensor2D>(embeddings, 2);
  kernel.assign(tf.neg(tf.abs(kernel)));
  const logits = tf.matMul(tf.abs(tf.sub(first, second)), tf.reshape(kernel, [-1, 1]));
  bias.assign(tf.reshape(tf.neg(tf.mean(logits)), [1]));
}

function kernelAt(model: tf.LayersModel, end: keyof LayerGradients): tf.Variable {
  const kernels = trainableVariables(model).filter(({ rank }) => rank > 1);
  return kernels.at(end === "first" ? 0 : -1)!;
}
