import * as tf from "@tensorflow/tfjs";

type Pads = [before: number, after: number][];
type Attributes = tf.NamedAttrMap & { pad: string | number | Pads; inputShape: number[] };
type Kernel = (x: tf.NamedTensorInfoMap, attrs: Attributes) => tf.TensorInfo;

/**
 * Teaches a backend of tfjs-node the gradients of convolutions with explicit padding, which it refuses: the input is
 * padded first, and its gradient cut after.
 */
export function registerExplicitPadding(backendName: string): void {
  wrap(tf.Conv2DBackpropFilter, backendName, (pads, inputs, attrs, valid) => {
    const x = tf.pad(inputs.x as tf.Tensor, pads);
    return valid({ ...inputs, x }, attrs);
  });
  wrap(tf.Conv2DBackpropInput, backendName, (pads, inputs, attrs, valid) => {
    const padded = attrs.inputShape.map((size, axis) => size + pads[axis][0] + pads[axis][1]);
    const dx = valid(inputs, { ...attrs, inputShape: padded });
    return tf.slice(dx as tf.Tensor, pads.map(([before]) => before), attrs.inputShape);
  });
}

function wrap(
  kernelName: string,
  backendName: string,
  padded: (pads: Pads, inputs: tf.NamedTensorInfoMap, attrs: Attributes, valid: Kernel) => tf.TensorInfo,
): void {
  const { kernelFunc, ...own } = tf.getKernel(kernelName, backendName);
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...own,
    kernelFunc({ inputs, attrs, backend }) {
      const given = attrs as Attributes;
      if (!Array.isArray(given.pad)) return kernelFunc({ inputs, attrs: given, backend });
      const valid: Kernel = (inputs, attrs) =>
        kernelFunc({ inputs, attrs: { ...attrs, pad: "valid" }, backend }) as tf.TensorInfo;
      return tf.tidy(() => padded(given.pad as Pads, inputs, given, valid) as tf.Tensor);
    },
  });
}
