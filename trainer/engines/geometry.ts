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
  dilations: [number, number] | number = 1,
): Geometry {
  if (attrs.dataFormat === "NCHW") throw new Error("gradients of convolutions are computed in NHWC only");
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    dilations,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
}
