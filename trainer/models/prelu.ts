import * as tf from "@tensorflow/tfjs";
import { hasKernel, PRELU_GRAD, runKernel } from "../engines/kernel_names.ts";

type StockLayer = tf.layers.Layer;
type LayerArgs = NonNullable<Parameters<typeof tf.layers.prelu>[0]>;

// tfjs does not export the class itself, only a function that makes one.
const Stock = tf.layers.prelu({}).constructor as unknown as
  & (new (args: LayerArgs) => StockLayer & { alpha: { read(): tf.Tensor } })
  & { className: string };

/** tf's PReLU layer with a gradient in fewer operations: same class name, configuration, weights and values. */
class Prelu extends Stock {
  static override className = "PReLU";

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs, alpha = this.alpha.read();
    // One slope for each channel; what tf's layer can share otherwise it differentiates itself.
    if (alpha.size !== x.shape[x.rank - 1]) return super.call(inputs, {}) as tf.Tensor;
    return tf.tidy(() => bend(x, alpha));
  }
}

/**
 * A layer `x` above zero and `alpha x` below, with a slope `alpha` for each channel that is trained (He et al. 2015, section 2.1); saves and loads
 * as tf's `PReLU`.
 */
export function prelu(args: LayerArgs): StockLayer {
  return new Prelu(args);
}

function bend(x: tf.Tensor, alpha: tf.Tensor): tf.Tensor {
  return tf.customGrad((...args) => {
    const [x, alpha, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x, alpha]);
    return {
      value: tf.prelu(x, alpha),
      gradFunc: (dy: tf.Tensor, [x, alpha]: tf.Tensor[]) => gradients(dy, x, alpha),
    };
  })(x, alpha);
}

function gradients(dy: tf.Tensor, x: tf.Tensor, alpha: tf.Tensor): tf.Tensor[] {
  if (hasKernel(PRELU_GRAD)) return runKernel(PRELU_GRAD, { dy, x, alpha }, {});
  const above = tf.step(x), below = tf.sub(1, above);
  const dx = tf.mul(dy, tf.add(above, tf.mul(below, alpha)));
  const rowAxes = x.shape.slice(0, -1).map((_, axis) => axis);
  const dalpha = tf.sum(tf.mul(dy, tf.mul(x, below)), rowAxes);
  return [dx, tf.reshape(dalpha, alpha.shape)];
}
