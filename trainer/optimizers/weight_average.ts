import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../shared/errors.ts";

/** Everything that a {@link WeightAverage} remembers. */
export interface WeightAverageState {
  /** Updates taken. */
  updates: number;
  /** The averages, in the order of the weights. */
  tensors: Float32Array[];
}

/**
 * Exponential moving average of weights over the steps of training (Polyak and Juditsky 1992): the average is often a
 * better network than any step's.
 *
 * Update `t`, from 1, keeps the share `min(decay, (1 + t) / (10 + t))` of the average, as TensorFlow's
 * `ExponentialMovingAverage` does with `num_updates`, so that the random first weights are soon forgotten.
 *
 * ```ts
 * const average = new WeightAverage(variablesOf(model), 0.999);
 * average.update(); // after every step
 * average.swap(); // the network is the average now: validate, export
 * average.swap(); // and trains on
 * ```
 */
export class WeightAverage {
  readonly #weights: tf.Variable[];
  readonly #decay: number;
  #averages: tf.Tensor[];
  #updates = 0;
  #swapped = false;

  /**
   * @param weights float32 variables of any kind, BatchNorm's moving statistics among them; each average starts as its weight
   * @param decay the share of the average that a late update keeps, 0 to 1
   */
  constructor(weights: tf.Variable[], decay: number) {
    this.#weights = [...weights];
    this.#decay = decay;
    this.#averages = weights.map((weight) => tf.keep(weight.clone()));
  }

  /** Moves the averages toward the weights of now. */
  update(): void {
    this.#expectAside();
    this.#updates++;
    const share = 1 - Math.min(this.#decay, (1 + this.#updates) / (10 + this.#updates));
    this.#weights.forEach((weight, i) => {
      const average = this.#averages[i];
      this.#replace(i, tf.tidy(() => tf.add(average, tf.mul(tf.sub(weight, average), share))));
    });
  }

  /** Exchanges averages and weights; a second time puts both back, to the bit. Nothing is copied. */
  swap(): void {
    this.#swapped = !this.#swapped;
    this.#weights.forEach((weight, i) => {
      const live = weight.clone();
      weight.assign(this.#averages[i]);
      this.#replace(i, live);
    });
  }

  /** A copy of the state. */
  async state(): Promise<WeightAverageState> {
    this.#expectAside();
    const updates = this.#updates;
    return { updates, tensors: await Promise.all(this.#averages.map((average) => average.data<"float32">())) };
  }

  /**
   * Goes on from a saved state with the same bits.
   *
   * @throws {ModelError} if it is the state of other weights
   */
  restore({ updates, tensors }: WeightAverageState): void {
    this.#expectAside();
    const fits = tensors.length === this.#weights.length &&
      tensors.every(({ length }, i) => length === this.#weights[i].size);
    if (!fits) {
      throw new ModelError(
        `The averaged weights do not fit: they are of another network than the ${this.#weights.length} weights here; ` +
          "go on with the settings that the run began with.",
      );
    }
    this.#updates = updates;
    tensors.forEach((values, i) => this.#replace(i, tf.tensor(values, this.#weights[i].shape, "float32")));
  }

  /** Frees the averages; the weights stay as they are. */
  dispose(): void {
    tf.dispose(this.#averages);
  }

  #replace(i: number, next: tf.Tensor): void {
    this.#averages[i].dispose();
    this.#averages[i] = tf.keep(next);
  }

  /** The averages are known only while the network holds its own weights. */
  #expectAside(): void {
    if (this.#swapped) throw new Error("the averages are in the network; swap() back first");
  }
}
