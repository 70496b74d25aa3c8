import type * as tf from "@tensorflow/tfjs";
import { allocate, type Call, imagesOf, type Info, instead } from "../heap.ts";
import { type Extent, frameInto } from "../native/grid.ts";
import { Workspace } from "../native/workspace.ts";

/**
 * Zeros around images by our kernel, as networks that pad like PyTorch have them.
 *
 * @param stock the backend's own kernel, for all else
 */
export function padV2(stock: tf.KernelConfig): tf.KernelConfig {
  return instead<{ x: Info }, { paddings: [number, number][]; constantValue: number }>(
    stock,
    (call) => {
      const { inputs: { x }, attrs: { paddings, constantValue } } = call;
      const images = x.shape.length === 4 && [0, 3].every((axis) => paddings[axis].every((count) => count === 0));
      if (!images || constantValue !== 0 || x.dtype !== "float32") return stock.kernelFunc(call as never) as Info;
      const shape = x.shape.map((length, axis) => length + paddings[axis][0] + paddings[axis][1]);
      return reframed(call, shape, { rows: paddings[1][0], columns: paddings[2][0] });
    },
  );
}

/**
 * Images cut to some of their rows and columns by our kernel, as the gradient of padding is.
 *
 * @param stock the backend's own kernel, for all else
 */
export function slice(stock: tf.KernelConfig): tf.KernelConfig {
  return instead<{ x: Info }, { begin: number | number[]; size: number | number[] }>(stock, (call) => {
    const { inputs: { x }, attrs: { begin, size } } = call;
    const whole = Array.isArray(begin) && Array.isArray(size) && x.shape.length === 4 && size.length === 4 &&
      [0, 3].every((axis) => begin[axis] === 0 && size[axis] === x.shape[axis]) && [1, 2].every((axis) =>
        size[axis] > 0
      );
    if (!whole || x.dtype !== "float32") return stock.kernelFunc(call as never) as Info;
    return reframed(call, size, { rows: -begin[1], columns: -begin[2] });
  });
}

function reframed({ inputs: { x }, backend }: Call<{ x: Info }, unknown>, shape: number[], before: Extent): Info {
  using work = new Workspace(backend);
  const y = allocate(backend, shape);
  frameInto(work, imagesOf(work, x), before, imagesOf(work, y));
  return y;
}
