import type * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type Call, free, type Info, transpose } from "../heap.ts";

interface Inputs {
  a: Info;
  b: Info;
}
interface Attrs {
  transposeA: boolean;
  transposeB: boolean;
}

/**
 * Matrix product that transposes first where asked to: the stock kernel takes XNNPACK's path for plain products only and
 * a naive loop for transposed operands, which is what every gradient of a dense layer is.
 *
 * @param stock the backend's own kernel
 */
export function batchMatMul(stock: tf.KernelConfig): tf.KernelConfig {
  return { ...stock, kernelFunc: compute as unknown as tf.KernelFunc };

  function compute({ inputs, attrs, backend }: Call<Inputs, Attrs>): Info {
    const a = attrs.transposeA ? swapLastAxes(backend, inputs.a) : inputs.a;
    const b = attrs.transposeB ? swapLastAxes(backend, inputs.b) : inputs.b;
    const plain = { transposeA: false, transposeB: false };
    const product = stock.kernelFunc({ inputs: { a, b }, attrs: plain, backend }) as Info;
    if (a !== inputs.a) free(backend, a);
    if (b !== inputs.b) free(backend, b);
    return product;
  }
}

function swapLastAxes(backend: BackendWasm, x: Info): Info {
  const axes = x.shape.map((_, axis) => axis);
  const rank = axes.length;
  return transpose(backend, x, [...axes.slice(0, rank - 2), rank - 1, rank - 2]);
}
