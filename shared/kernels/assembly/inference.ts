/** The kernels of inference, over an imported memory. None allocates. */
export { convolveFused } from "./convolution";
export { depthwiseFused } from "./depthwise_rows";
export { clearBorder, packColumns, tabulate } from "./layout";
export { decodeFloat16, decodeUint8 } from "./weights";
export { pool } from "./windows";
export { winogradFilter } from "./winograd";
export { winogradFused } from "./winograd_fused";
