import * as tf from "@tensorflow/tfjs";

/** The numbers of a 2-D convolution or pooling, NHWC. */
export type Geometry = tf.backend_util.Conv2DInfo;

/** Attributes that tfjs gives to the kernels of a convolution's gradients. */
export interface ConvAttrs {
  strides: [number, number] | number;
  pad: "same" | "valid" | number | tf.backend_util.ExplicitPadding;
  dataFormat?: "NHWC" | "NCHW";
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/**
 * The geometry of the convolution whose gradient is asked for.
 *
 * @param inputShape `[batch, height, width, channels]`
 * @param filterShape `[height, width, inChannels, outChannels or multiplier]`
 */
export function convGeometry(
  inputShape: number[],
  filterShape: number[],
  attrs: ConvAttrs,
  depthwise = false,
): Geometry {
  if (attrs.dataFormat === "NCHW") throw new Error("the wasm engine computes convolutions in NHWC only");
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
}

/**
 * One axis of one phase of a strided convolution's input gradient.
 *
 * Input positions `i` with `(i + padding) mod stride = a` are reached only by the filter taps `a, a + stride, ...`, so
 * each phase is a plain convolution of `dy` with that part of the filter, and none multiplies zeros.
 */
export interface Phase {
  /** First input position of the phase; the others follow at `stride`. */
  first: number;
  /** How many input positions the phase has. */
  count: number;
  /** Filter taps in the order in which a convolution of `dy` meets them (reversed). */
  taps: number[];
  /** Rows of zeros before and after `dy`; negative where rows of `dy` play no part. */
  before: number;
  after: number;
}

/**
 * The phases of one axis.
 *
 * @param size of the input along the axis
 * @param outSize of the convolution's output, that is of `dy`
 * @param padding before the input's first position
 */
export function phasesOf(size: number, outSize: number, filter: number, stride: number, padding: number): Phase[] {
  const phases: Phase[] = [];
  for (let a = 0; a < stride; a++) {
    const first = (((a - padding) % stride) + stride) % stride;
    if (first >= size) continue;
    const count = Math.ceil((size - first) / stride);
    const taps: number[] = [];
    for (let tap = a; tap < filter; tap += stride) taps.unshift(tap);
    const start = (first + padding - a) / stride;
    const before = taps.length - 1 - start;
    const after = start + count - outSize;
    phases.push({ first, count, taps, before, after });
  }
  return phases;
}
