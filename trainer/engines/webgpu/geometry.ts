import type { ConvAttrs, Geometry } from "../geometry.ts";

/** Attributes that tfjs gives to the kernels of a filter's gradient. */
export interface FilterGradientAttrs extends ConvAttrs {
  dilations?: [number, number] | number;
  /** `[height, width, inChannels, outChannels or multiplier]`. */
  filterShape: [number, number, number, number];
}

/** What both shaders of a filter's gradient know of the convolution. */
export function uniformsOf(geometry: Geometry) {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterWidth, padInfo } = geometry;
  return {
    inHeight,
    inWidth,
    inChannels,
    outHeight,
    outWidth,
    outChannels,
    filterWidth,
    strideHeight: geometry.strideHeight,
    strideWidth: geometry.strideWidth,
    dilationHeight: geometry.dilationHeight,
    dilationWidth: geometry.dilationWidth,
    padTop: padInfo.top,
    padLeft: padInfo.left,
    positions: geometry.batchSize * outHeight * outWidth,
  };
}

/**
 * WGSL of `inputAt(position, row, column, channel)`: the input that a tap of the filter meets at a position of the output,
 * 0 in the padding. A position is `(n * outHeight + i) * outWidth + j`.
 */
export const INPUT_AT = `
fn inputAt(position: i32, row: i32, column: i32, channel: i32) -> f32 {
  let line = position / uniforms.outWidth;
  let n = line / uniforms.outHeight;
  let h = (line - n * uniforms.outHeight) * uniforms.strideHeight + row * uniforms.dilationHeight - uniforms.padTop;
  let w = (position - line * uniforms.outWidth) * uniforms.strideWidth + column * uniforms.dilationWidth
    - uniforms.padLeft;
  if (h < 0 || h >= uniforms.inHeight || w < 0 || w >= uniforms.inWidth) { return 0.0; }
  return x[((n * uniforms.inHeight + h) * uniforms.inWidth + w) * uniforms.inChannels + channel];
}`;
