/** The kernels of training, over an imported memory that threads may share. None allocates. */
export { adamStep, sgdStep, squaredSums } from "./optimizers";
export { channelSums, combineChannels, gradientSums, preluGradient, scaleChannels } from "./channels";
export { convolve } from "./convolution";
export { depthwise, depthwiseFilterGradient } from "./depthwise";
export { relu, reluGradient } from "./elementwise";
export { filterGradient, unpackSums } from "./filter_gradient";
export { frame, packColumns, packExchanged, tabulate } from "./layout";
export { maxPoolGradient } from "./pooling";
export { winograd, winogradFilter } from "./winograd";
export { joinWinogradSums, winogradSums } from "./winograd_gradient";
