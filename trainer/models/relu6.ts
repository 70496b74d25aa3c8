import * as tf from "@tensorflow/tfjs";

type StockLayer = tf.layers.Layer;
type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

// tfjs does not export the class itself, only a function that makes one.
const Stock = tf.layers.reLU({}).constructor as unknown as
  & (new (args: LayerArgs & { maxValue: number }) => StockLayer)
  & { className: string };

/** tf's ReLU layer with a maximum of 6, in fewer operations: same class name, configuration and values. */
class Relu6 extends Stock {
  static override className = "ReLU";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => clip(Array.isArray(inputs) ? inputs[0] : inputs));
  }
}

/** A layer `min(max(x, 0), 6)`, any shape, which saves and loads as tf's `ReLU` with `maxValue` 6. */
export function relu6(args: LayerArgs = {}): StockLayer {
  return new Relu6({ ...args, maxValue: 6 });
}

/** The gradient is 1 between 0 and 6 and else 0, from the output alone: the comparisons of tfjs's are slow on wasm. */
function clip(x: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, save] = args as [tf.Tensor, tf.GradSaveFunc];
    const y = tf.relu6(x);
    save([y]);
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, tf.step(tf.mul(y, tf.sub(6, y)))),
    };
  })(x);
}
