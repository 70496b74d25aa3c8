/**
 * The one path from the bytes of an image file to the network's input tensor, the same in training and serving.
 *
 * @module
 */
export { encodeJpeg } from "./codecs.ts";
export { decode, MAX_PIXELS, MAX_SIDE } from "./decode.ts";
export { type ImageFormat, type ImageHeader, readHeader, sniff } from "./header.ts";
export type { Image, Region } from "./image.ts";
export { encodePng, fitPixels, imageOf, normalize, toChannels, toInputPixels } from "./input.ts";
export { resize } from "./resize.ts";
export { decodeShrunk, shrink } from "./shrink.ts";
