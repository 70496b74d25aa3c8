import * as tf from "@tensorflow/tfjs";
import { allocate, type Call, type Info, instead, sizeOf } from "../heap.ts";
import { convolve, filterGradient, matrixWindows, packColumns, packTransposed } from "../native/convolve.ts";
import { rowsOf } from "../native/grid.ts";
import { type Address, Workspace } from "../native/workspace.ts";

interface Attrs {
  transposeA: boolean;
  transposeB: boolean;
}

/**
 * Matrix products by our kernels, transposed or not: as a convolution, and as the gradient of one by its filter.
 *
 * @param stock the backend's own kernel, which this one takes the place of
 */
export function batchMatMul(stock: tf.KernelConfig): tf.KernelConfig {
  return instead(stock, multiplied);
}

function multiplied({ inputs: { a, b }, attrs, backend }: Call<{ a: Info; b: Info }, Attrs>): Info {
  const rows = a.shape.at(attrs.transposeA ? -1 : -2)!, columns = b.shape.at(attrs.transposeB ? -2 : -1)!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const product = allocate(backend, [...batch, rows, columns]);
  for (let i = 0; i < tf.util.sizeFromShape(batch); i++) {
    using work = new Workspace(backend);
    multiply(work, matrixOf(work, a, i), matrixOf(work, b, i), matrixOf(work, product, i).at, attrs);
  }
  return product;
}

/** A matrix `[rows, columns]` in the backend's memory. */
interface Matrix {
  at: Address;
  rows: number;
  columns: number;
}

/** The matrix of number `i` of a batch; from the first again after its last. */
function matrixOf(work: Workspace, tensor: Info, i: number): Matrix {
  const [rows, columns] = tensor.shape.slice(-2);
  const number = i % (sizeOf(tensor) / (rows * columns));
  return { at: work.address(tensor) + number * rows * columns * Float32Array.BYTES_PER_ELEMENT, rows, columns };
}

function multiply(work: Workspace, a: Matrix, b: Matrix, product: Address, { transposeA, transposeB }: Attrs): void {
  const packed = (transposeB ? packTransposed : packColumns)(work, b.at, b.rows, b.columns);
  const windows = matrixWindows(work, a.at, a.rows, a.columns);
  if (transposeA) filterGradient(work, windows, packed, product);
  else convolve(work, windows, packed, rowsOf(work, product, a.rows, packed.columns));
}
