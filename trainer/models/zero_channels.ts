import * as tf from "@tensorflow/tfjs";

type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

/** Appends channels of zeros: `[batch, height, width, channels]` to `[batch, height, width, channels + count]`. */
export class ZeroChannels extends tf.layers.Layer {
  static className = "ZeroChannels";
  readonly #count: number;

  constructor(args: LayerArgs & { count: number }) {
    super(args);
    this.#count = args.count;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, height, width, channels] = inputShape as number[];
    return [batch, height, width, channels + this.#count];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    return tf.pad(x, [[0, 0], [0, 0], [0, 0], [0, this.#count]]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), count: this.#count };
  }
}
tf.serialization.registerClass(ZeroChannels);
