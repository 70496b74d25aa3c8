export { exportFaceNetwork } from "./face_networks.ts";
export { fusedNetwork, graphOf } from "./fused.ts";
/**
 * From a `tf.LayersModel` to a model directory: trace, fold, fuse, quantise, verify, write.
 *
 * @module
 */
export { type Exported, type ExportJob, exportModel } from "./export.ts";
export { spread } from "./goldens.ts";
export { CALIBRATION_IMAGES, measuredGrids } from "./int8/int8_graph.ts";
export type { LayerError } from "./int8/sensitivity.ts";
export type { Scheme } from "./quantize.ts";
export { MEAN_COSINE, onWasm, RECALL_LOSS, withGraph, withModel } from "./verify.ts";
