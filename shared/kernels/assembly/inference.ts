/** The kernels of inference, over an imported memory. None allocates. */
export { fillBorder, maxPoolCodes, meanCodes, packCodes } from "./code_layout";
export { addCodes, finishSums } from "./codes";
export { convolveFused } from "./convolution";
export { convolveCodes } from "./convolution_codes";
export { depthwiseCodes } from "./depthwise_codes";
export { depthwiseFused } from "./depthwise_rows";
export { clearBorder, packColumns, tabulate } from "./layout";
export { decodeFloat16, decodeUint8 } from "./weights";
export { pool } from "./windows";
export { winogradFilter } from "./winograd";
export { winogradFused } from "./winograd_fused";
