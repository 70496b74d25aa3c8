/** The kernels of images, on the way to the network. None allocates. */
export { squeezeColumns, squeezeRows } from "./resize";
