/**
 * From a photo to the faces in it, upright, the same in training and serving. Networks are given as functions.
 *
 * @module
 */
export { boxesOfAnchors } from "./anchors.ts";
export { type Box, overlapOf, type ScoredBox, suppressOverlaps } from "./box.ts";
export { detectFaces, type DetectionSpecs } from "./detect.ts";
export { type Face, type FaceModel, findFaces } from "./find_faces.ts";
export { framed, squareAround } from "./frame.ts";
export { boxesOfGrid } from "./grid.ts";
export { findLandmarks } from "./landmarks.ts";
export type { FaceNetworks, Network } from "./network.ts";
export { type FaceQuality, failedMeasures, type QualityMeasure, qualityOf } from "./quality.ts";
export { inverseOf, type Point, type Similarity, similarityOf, transform } from "./similarity.ts";
export { warp } from "./warp.ts";
