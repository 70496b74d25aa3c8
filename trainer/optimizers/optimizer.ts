import * as tf from "@tensorflow/tfjs";
import { ModelError, UsageError } from "../../shared/errors.ts";
import { adamW } from "./adamw.ts";
import { clipByGlobalNorm, globalNorm } from "./global_norm.ts";
import { sgd } from "./sgd.ts";
import type { UpdateRule } from "./update_rule.ts";

/** Settings of {@link createOptimizer}. */
export interface OptimizerSettings {
  /** `adam` (Kingma and Ba 2015), `adamw` (Loshchilov and Hutter 2019) or `sgd` with momentum. */
  optimizer: "adam" | "adamw" | "sgd";
  /**
   * Of `adamw`, as a share of the learning rate by which a weight shrinks in a step; of `sgd`, the factor of the L2 penalty's
   * gradient. Decays kernels, that is variables of a rank above 1: biases and BatchNorm's scales keep their size. `adam`
   * has none.
   */
  weightDecay: number;
  /** The share of its velocity that `sgd` keeps from step to step; the others have moments of their own. */
  momentum: number;
  /** The greatest global norm of a gradient: a longer one is shortened to it. By default none is. */
  clipNorm?: number | undefined;
  /** The factor of the learning rate for each variable, by default 1; one with 0 is frozen and not even differentiated. */
  rates?: readonly number[] | undefined;
}

/** Moves variables down the gradient of a loss. */
export interface Optimizer {
  /** Sets the learning rate of the steps to come; 0.001 at first. */
  setLearningRate(rate: number): void;
  /**
   * One step down the gradient of a loss. A variable that the loss does not depend on stays as it is.
   *
   * @param loss computes the scalar from the variables
   * @returns the loss before the step and the global norm of its gradient before clipping, to be disposed by the caller;
   * neither has been read back from the engine
   */
  minimize(loss: () => tf.Scalar): { loss: tf.Scalar; gradientNorm: tf.Scalar };
  /**
   * One step down a gradient that is known already. A variable without one stays as it is.
   *
   * @param gradients by the variables' names, at least one; disposed
   * @returns the gradient's global norm before clipping, to be disposed by the caller
   */
  descend(gradients: tf.NamedTensorMap): tf.Scalar;
  /** What it trains: the variables that are not frozen, in order. */
  readonly variables: readonly tf.Variable[];
  /** A copy of everything that it remembers. */
  state(): Promise<OptimizerState>;
  /**
   * Goes on from a saved state with the same bits.
   *
   * @throws {ModelError} if it is the state of another algorithm or other variables
   */
  restore(state: OptimizerState): void;
  /** Frees what it remembers; the variables stay. */
  dispose(): void;
}

/** Everything that an optimiser remembers between steps. */
export interface OptimizerState {
  /** Steps taken. */
  step: number;
  /**
   * For every variable that is not frozen, in order, the first moment of Adam or the velocity of SGD; then, for every one
   * again, the second moment of Adam.
   */
  slots: Float32Array[];
}

/**
 * Makes an optimiser. Its steps are one fused pass over each variable where the engine has a kernel for it.
 *
 * ```ts
 * const settings = { optimizer: "adamw", weightDecay: 0.01, momentum: 0, clipNorm: 1 } as const;
 * const optimizer = createOptimizer(trainableVariables(model), settings);
 * optimizer.setLearningRate(3e-4);
 * const { loss, gradientNorm } = optimizer.minimize(() => triplets(labels, model.apply(images, { training: true })));
 * ```
 *
 * @param variables what to train; their order is the order of the state
 * @throws {UsageError} if every variable is frozen
 */
export function createOptimizer(variables: tf.Variable[], settings: OptimizerSettings): Optimizer {
  const rule = ruleOf(settings);
  const trained = trainedOf(variables, settings);
  const slots = trained.map(({ variable }) =>
    Array.from({ length: rule.slotCount }, () => tf.keep(tf.zeros(variable.shape)))
  );
  let learningRate = 1e-3, step = 0;

  function follow(i: number, gradient: tf.Tensor): void {
    const { variable, rate, weightDecay } = trained[i];
    const moved = rule.update({
      variable,
      gradient,
      slots: slots[i],
      learningRate: learningRate * rate,
      weightDecay,
      step,
    });
    variable.assign(moved.value);
    moved.value.dispose();
    moved.slots.forEach((slot, k) => replace(slots[i], k, slot));
  }

  function descend(gradientOf: tf.NamedTensorMap): tf.Scalar {
    const reached = trained.flatMap(({ variable }, i) => gradientOf[variable.name] ? [i] : []);
    const gradients = reached.map((i) => gradientOf[trained[i].variable.name]);
    const gradientNorm = globalNorm(gradients);
    const clipped = settings.clipNorm === undefined
      ? gradients
      : clipByGlobalNorm(gradients, gradientNorm, settings.clipNorm);
    step++;
    reached.forEach((i, k) => follow(i, clipped[k]));
    tf.dispose([gradients, clipped]);
    return gradientNorm;
  }

  return {
    setLearningRate: (rate) => learningRate = rate,
    variables: trained.map(({ variable }) => variable),
    descend,
    minimize(loss) {
      const { value, grads } = tf.variableGrads(loss, trained.map(({ variable }) => variable));
      return { loss: value, gradientNorm: descend(grads) };
    },
    async state() {
      const steps = step;
      const values = await Promise.all(bySlot(slots).map((slot) => slot.data<"float32">()));
      return { step: steps, slots: values };
    },
    restore(state) {
      const sizes = bySlot(slots).map(({ size }) => size);
      if (state.slots.length !== sizes.length || state.slots.some(({ length }, i) => length !== sizes[i])) {
        throw new ModelError(
          `The optimiser's state does not fit: it is of another algorithm or of other variables than the ` +
            `${trained.length} that ${settings.optimizer} trains here; go on with the settings that the run began with.`,
        );
      }
      step = state.step;
      trained.forEach(({ variable }, i) => {
        for (let k = 0; k < rule.slotCount; k++) {
          replace(slots[i], k, tf.tensor(state.slots[k * trained.length + i], variable.shape, "float32"));
        }
      });
    },
    dispose: () => tf.dispose(slots),
  };
}

function ruleOf({ optimizer, momentum }: OptimizerSettings): UpdateRule {
  return optimizer === "sgd" ? sgd(momentum) : adamW;
}

/** A variable that is not frozen. */
interface Trained {
  variable: tf.Variable;
  /** Its factor of the learning rate. */
  rate: number;
  weightDecay: number;
}

function trainedOf(variables: tf.Variable[], { optimizer, weightDecay, rates }: OptimizerSettings): Trained[] {
  if (rates && rates.length !== variables.length) {
    throw new RangeError(`${rates.length} rates for ${variables.length} variables`);
  }
  const trained = variables.flatMap((variable, i) => {
    const rate = rates?.[i] ?? 1;
    const decays = optimizer !== "adam" && variable.rank > 1;
    return rate === 0 ? [] : [{ variable, rate, weightDecay: decays ? weightDecay : 0 }];
  });
  if (trained.length === 0) {
    throw new UsageError("There is nothing to train: every variable is frozen; freeze fewer layers.");
  }
  return trained;
}

/** The first slot of every variable, then the second of every one. */
function bySlot(slots: tf.Tensor[][]): tf.Tensor[] {
  return slots[0].flatMap((_, k) => slots.map((ofVariable) => ofVariable[k]));
}

function replace(slots: tf.Tensor[], k: number, next: tf.Tensor): void {
  if (slots[k] === next) return;
  slots[k].dispose();
  slots[k] = tf.keep(next);
}
