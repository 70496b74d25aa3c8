import * as tf from "@tensorflow/tfjs";

type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

/** Below this squared length a row counts as zero: it maps to (almost) zero and passes a finite gradient. */
const EPSILON = 1e-12;

/**
 * Scales each row to unit Euclidean length: `y = x / sqrt(max(sum(x^2), 1e-12))`, `[batch, dim] float32` to the same shape.
 *
 * The last layer of every embedding network. A row of zeros stays zero and its gradient stays finite, where `tf.norm`
 * gives NaN.
 */
export class L2Normalize extends tf.layers.Layer {
  static className = "L2Normalize";

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      const squaredLength = tf.sum(tf.square(x), -1, true);
      return tf.mul(x, tf.rsqrt(tf.maximum(squaredLength, EPSILON)));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), epsilon: EPSILON };
  }
}
tf.serialization.registerClass(L2Normalize);

/** A layer that scales each row to unit length. */
export function l2Normalize(args: LayerArgs = {}): L2Normalize {
  return new L2Normalize(args);
}
