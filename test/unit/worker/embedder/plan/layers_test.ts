import * as tf from "@tensorflow/tfjs";
import { filesOf, randomizeWeights } from "../../../trainer/export/exported.ts";
import { assertAgreesWithTfjs, randomFrom } from "./support.ts";

type Layers = (x: tf.SymbolicTensor) => tf.SymbolicTensor;

const CASES = 25;
const random = randomFrom(11);
const from = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)];
const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));

/** Random geometry of a window. */
function windows() {
  return {
    kernelSize: [between(1, 7), between(1, 7)] as [number, number],
    strides: from(1, 1, 2, 3),
    padding: from("same", "valid") as "same" | "valid",
  };
}

function activation(x: tf.SymbolicTensor): tf.SymbolicTensor {
  const layer = from<tf.layers.Layer>(
    tf.layers.reLU({}),
    tf.layers.reLU({ maxValue: 6 }),
    tf.layers.leakyReLU({ alpha: 0.2 }),
    tf.layers.prelu({ sharedAxes: [1, 2] }),
    tf.layers.activation({ activation: "linear" }),
  );
  return layer.apply(x) as tf.SymbolicTensor;
}

function padded(x: tf.SymbolicTensor): tf.SymbolicTensor {
  const padding: [[number, number], [number, number]] = [[between(0, 3), between(0, 3)], [
    between(0, 3),
    between(0, 3),
  ]];
  return from(true, false) ? x : tf.layers.zeroPadding2d({ padding }).apply(x) as tf.SymbolicTensor;
}

/** Random images go through the layers, and what comes out through a matrix, as an embedding network ends. */
async function property(name: string, layers: Layers): Promise<void> {
  for (let i = 0; i < CASES; i++) {
    const shape = [between(7, 20), between(7, 20), between(1, 20)];
    const input = tf.input({ shape });
    // Another layer before makes the input one with a frame of its own and a padded number of channels.
    const before = tf.layers.conv2d({ filters: between(1, 20), kernelSize: 1 }).apply(input) as tf.SymbolicTensor;
    const y = layers(from(input, before));
    const features = (y.shape.length === 2 ? y : tf.layers.flatten().apply(y)) as tf.SymbolicTensor;
    const outputs = tf.layers.dense({ units: between(1, 20) }).apply(features) as tf.SymbolicTensor;
    const model = randomizeWeights(tf.model({ inputs: input, outputs }), 100 * i);
    await assertAgreesWithTfjs(await filesOf(model), shape, `${name} ${i}, ${JSON.stringify(shape)}`, "cpu");
    model.dispose();
  }
}

Deno.test("a plan's convolutions agree with tfjs's for random shapes, strides, padding, channels and activations", async () => {
  await property("convolution", (x) => {
    const y = tf.layers.conv2d({ filters: between(1, 20), ...windows() }).apply(padded(x)) as tf.SymbolicTensor;
    return activation(y);
  });
});

Deno.test("a plan's 3x3 convolutions agree with tfjs's where they are computed in tiles", async () => {
  await property("3x3", (x) => {
    const wide = tf.layers.zeroPadding2d({ padding: [between(0, 3), between(0, 3)] }).apply(x) as tf.SymbolicTensor;
    const geometry = { kernelSize: 3, padding: from("same", "valid") as "same" | "valid" };
    return activation(tf.layers.conv2d({ filters: between(1, 20), ...geometry }).apply(wide) as tf.SymbolicTensor);
  });
});

Deno.test("a plan's depthwise convolutions agree with tfjs's for random shapes, strides, padding, channels and activations", async () => {
  await property("depthwise", (x) => {
    const size = from(windows().kernelSize, [3, 3] as [number, number], [5, 5] as [number, number]);
    const layer = tf.layers.depthwiseConv2d({ ...windows(), kernelSize: size });
    return activation(layer.apply(padded(x)) as tf.SymbolicTensor);
  });
});

Deno.test("a plan's pools agree with tfjs's, with zeros around the image that count and with borders that do not", async () => {
  await property("pool", (x) => {
    const { kernelSize, ...geometry } = windows();
    // tfjs refuses padding of half a window or more.
    const settings = { ...geometry, poolSize: kernelSize, strides: Math.min(geometry.strides, ...kernelSize) };
    const layer = from<tf.layers.Layer>(tf.layers.maxPooling2d(settings), tf.layers.averagePooling2d(settings));
    return layer.apply(padded(x)) as tf.SymbolicTensor;
  });
});

Deno.test("a plan's pools of whole images agree with tfjs's", async () => {
  await property("whole pool", (x) => {
    const layer = from<tf.layers.Layer>(tf.layers.globalAveragePooling2d({}), tf.layers.globalMaxPooling2d({}));
    return layer.apply(x) as tf.SymbolicTensor;
  });
});

Deno.test("a plan's sums agree with tfjs's, whatever each of the two does before and both do afterwards", async () => {
  await property("sum", (x) => {
    const filters = between(1, 20);
    const branch = () => {
      const options = { kernelSize: from(1, 3, 3, 5), padding: "same" as const };
      const y = tf.layers.conv2d({ filters, ...options }).apply(x) as tf.SymbolicTensor;
      const z = from(true, false) ? activation(y) : y;
      return from(true, false) ? z : tf.layers.depthwiseConv2d(options).apply(z) as tf.SymbolicTensor;
    };
    const first = branch(), second = branch();
    const sum = tf.layers.add().apply([first, second]) as tf.SymbolicTensor;
    const again = tf.layers.add().apply([activation(sum), from(first, second)]) as tf.SymbolicTensor;
    return activation(again);
  });
});
