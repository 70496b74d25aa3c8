export { exportFaceNetwork } from "./face_networks.ts";
export { fusedNetwork } from "./fused.ts";
/**
 * From a `tf.LayersModel` to a model directory: trace, fold, fuse, quantise, verify, write.
 *
 * @module
 */
export { type Exported, type ExportJob, exportModel } from "./export.ts";
export type { Scheme } from "./quantize.ts";
export { MEAN_COSINE, RECALL_LOSS, withGraph } from "./verify.ts";
