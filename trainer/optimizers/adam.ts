import * as tf from "@tensorflow/tfjs";
import { ADAM_STEP, type AdamStepAttrs, hasKernel, runKernel } from "../engines/kernel_names.ts";

/** Settings of {@link Adam}. */
export interface AdamOptions {
  /** Default 0.001. */
  learningRate?: number;
  /** Decay of the first moment, default 0.9. */
  beta1?: number;
  /** Decay of the second moment, default 0.999. */
  beta2?: number;
  /** Added to the root of the corrected second moment, default 1e-7 as in Keras. */
  epsilon?: number;
}

/** Everything that Adam remembers; one entry of `m` and `v` for each variable, in the optimiser's order. */
export interface AdamState {
  /** Steps taken. */
  step: number;
  /** First moments. */
  m: Float32Array[];
  /** Second moments. */
  v: Float32Array[];
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1), equal to `tf.train.adam`, with one fused pass over each variable where the
 * engine has a kernel for it, and a state that can be saved and restored exactly.
 *
 * ```ts
 * const adam = new Adam(trainableVariables(model), { learningRate: 1e-3 });
 * const loss = adam.minimize(() => tripletLoss(labels, model.apply(images, { training: true })));
 * ```
 */
export class Adam {
  readonly #variables: tf.Variable[];
  readonly #options: Required<AdamOptions>;
  readonly #m: tf.Tensor[];
  readonly #v: tf.Tensor[];
  #step = 0;

  /** @param variables what to train; their order is the order of the state */
  constructor(variables: tf.Variable[], options: AdamOptions = {}) {
    this.#variables = [...variables];
    this.#options = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, ...options };
    this.#m = variables.map((variable) => tf.keep(tf.zeros(variable.shape)));
    this.#v = variables.map((variable) => tf.keep(tf.zeros(variable.shape)));
  }

  get learningRate(): number {
    return this.#options.learningRate;
  }

  setLearningRate(learningRate: number): void {
    this.#options.learningRate = learningRate;
  }

  /**
   * One step down the gradient of a loss.
   *
   * @param loss computes the scalar from the variables
   * @returns the loss before the step, to be disposed by the caller
   */
  minimize(loss: () => tf.Scalar): tf.Scalar {
    const { value, grads } = tf.variableGrads(loss, this.#variables);
    const gradients = this.#variables.map((variable) => grads[variable.name] ?? null);
    this.apply(gradients);
    for (const gradient of gradients) gradient?.dispose();
    return value;
  }

  /**
   * One step with gradients computed elsewhere.
   *
   * @param gradients one for each variable, in order; `null` leaves its variable as it is
   */
  apply(gradients: (tf.Tensor | null)[]): void {
    this.#step++;
    const attributes = { ...this.#options, step: this.#step };
    gradients.forEach((gradient, i) => {
      if (gradient === null) return;
      const next = hasKernel(ADAM_STEP)
        ? this.#fusedStep(i, gradient, attributes)
        : this.#composedStep(i, gradient, attributes);
      this.#variables[i].assign(next);
      next.dispose();
    });
  }

  /** A copy of the state. */
  async state(): Promise<AdamState> {
    const read = (tensors: tf.Tensor[]) => Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
    return { step: this.#step, m: await read(this.#m), v: await read(this.#v) };
  }

  /**
   * Goes on from a saved state.
   *
   * @throws {Error} if it is the state of other variables
   */
  restore(state: AdamState): void {
    const fits = (values: Float32Array[]) =>
      values.length === this.#variables.length && values.every((value, i) => value.length === this.#variables[i].size);
    if (!fits(state.m) || !fits(state.v)) {
      throw new Error(
        `The optimiser's state does not fit: it is of other variables than the ${this.#variables.length} here.`,
      );
    }
    this.#step = state.step;
    this.#variables.forEach(({ shape }, i) => {
      this.#replace(this.#m, i, tf.tensor(state.m[i], shape, "float32"));
      this.#replace(this.#v, i, tf.tensor(state.v[i], shape, "float32"));
    });
  }

  /** Frees the moments; the variables stay. */
  dispose(): void {
    tf.dispose([...this.#m, ...this.#v]);
  }

  #fusedStep(i: number, gradient: tf.Tensor, attributes: AdamStepAttrs): tf.Tensor {
    const inputs = { value: this.#variables[i], gradient, m: this.#m[i], v: this.#v[i] };
    return runKernel(ADAM_STEP, inputs, attributes)[0];
  }

  #composedStep(
    i: number,
    gradient: tf.Tensor,
    { learningRate, beta1, beta2, epsilon, step }: AdamStepAttrs,
  ): tf.Tensor {
    const [next, m, v] = tf.tidy(() => {
      const m = tf.add(tf.mul(this.#m[i], beta1), tf.mul(gradient, 1 - beta1));
      const v = tf.add(tf.mul(this.#v[i], beta2), tf.mul(tf.square(gradient), 1 - beta2));
      const root = tf.sqrt(tf.div(v, 1 - beta2 ** step));
      const move = tf.div(tf.mul(m, learningRate / (1 - beta1 ** step)), tf.add(root, epsilon));
      return [tf.sub(this.#variables[i], move), m, v];
    });
    this.#replace(this.#m, i, m);
    this.#replace(this.#v, i, v);
    return next;
  }

  #replace(moments: tf.Tensor[], i: number, next: tf.Tensor): void {
    moments[i].dispose();
    moments[i] = tf.keep(next);
  }
}

/**
 * The variables of a model that training changes, in the order of its layers.
 *
 * A layer with `trainable = false` contributes none.
 */
export function trainableVariables(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => (weight as unknown as { val: tf.Variable }).val);
}
