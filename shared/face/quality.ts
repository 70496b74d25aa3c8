import type { QualityLimits } from "../card.ts";
import { meanOf, type Point } from "./similarity.ts";

/** How usable a face is. */
export interface FaceQuality {
  /** Between the centres of the eyes, pixels of the photo. */
  eyeDistance: number;
  /** Mean absolute Laplacian of the aligned face's luma over its standard deviation: low where the face is blurred or small. */
  sharpness: number;
  /** Degrees by which the head leans to its left shoulder (positive) or right one. */
  roll: number;
  /** Degrees by which it is turned to the right of the picture, estimated. */
  yaw: number;
  /** Degrees by which it looks down, estimated. */
  pitch: number;
  /** Mean luma of the aligned face, 0..1. */
  brightness: number;
  /** Standard deviation of that luma, 0..1. */
  contrast: number;
}

/** A measure of {@linkcode FaceQuality}. */
export type QualityMeasure = keyof FaceQuality;

/** Where the nose's tip lies between the line of the eyes, 0, and the mouth, 1, in a face seen from the front. */
const NOSE_HEIGHT = 0.52;
/** How far the nose stands out, over the distance from eyes to mouth. */
const NOSE_LENGTH = 0.6;

/**
 * Measures a face.
 *
 * @param landmarks the 68 points, in pixels of the photo
 * @param aligned the face as the embedder sees it, `[size, size, 3]` 8-bit RGB
 */
export function qualityOf(landmarks: readonly Point[], aligned: Uint8Array): FaceQuality {
  const light = lightOf(lumaOf(aligned));
  return { ...poseOf(landmarks), ...light };
}

/** The measures of a face that pass the limits, in the wrong direction; none if it is good enough. */
export function failedMeasures(quality: FaceQuality, limits: QualityLimits): QualityMeasure[] {
  const failed: Record<QualityMeasure, boolean> = {
    eyeDistance: quality.eyeDistance < limits.minEyeDistance,
    sharpness: quality.sharpness < limits.minSharpness,
    roll: Math.abs(quality.roll) > limits.maxRoll,
    yaw: Math.abs(quality.yaw) > limits.maxYaw,
    pitch: Math.abs(quality.pitch) > limits.maxPitch,
    brightness: quality.brightness < limits.minBrightness || quality.brightness > limits.maxBrightness,
    contrast: quality.contrast < limits.minContrast,
  };
  return (Object.keys(failed) as QualityMeasure[]).filter((measure) => failed[measure]);
}

function poseOf(landmarks: readonly Point[]) {
  const left = meanOf(landmarks.slice(36, 42)), right = meanOf(landmarks.slice(42, 48));
  const eyeDistance = Math.hypot(right.x - left.x, right.y - left.y);
  const cos = (right.x - left.x) / eyeDistance, sin = (right.y - left.y) / eyeDistance;
  // Along the line of the eyes, and down the face.
  const upright = ({ x, y }: Point): Point => ({ x: x * cos + y * sin, y: y * cos - x * sin });
  const nose = upright(landmarks[30]), eyes = upright(meanOf([left, right]));
  const mouth = upright(meanOf(landmarks.slice(48, 60)));
  const before = nose.x - upright(landmarks[1]).x, behind = upright(landmarks[15]).x - nose.x;
  const height = (nose.y - eyes.y) / (mouth.y - eyes.y);
  return {
    eyeDistance,
    roll: degrees(Math.atan2(sin, cos)),
    yaw: degrees(arcsine((before - behind) / (before + behind))),
    pitch: degrees(arcsine((height - NOSE_HEIGHT) / NOSE_LENGTH)),
  };
}

function lightOf(luma: Float32Array) {
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  const deviation = Math.sqrt(luma.reduce((sum, value) => sum + (value - mean) ** 2, 0) / luma.length);
  const size = Math.sqrt(luma.length);
  let edges = 0;
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const i = y * size + x;
      edges += Math.abs(4 * luma[i] - luma[i - 1] - luma[i + 1] - luma[i - size] - luma[i + size]);
    }
  }
  const sharpness = deviation === 0 ? 0 : edges / (size - 2) ** 2 / deviation;
  return { sharpness, brightness: mean, contrast: deviation };
}

/** ITU-R BT.601, 0..1. */
function lumaOf(rgb: Uint8Array): Float32Array {
  return Float32Array.from(
    { length: rgb.length / 3 },
    (_, i) => (0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2]) / 255,
  );
}

function arcsine(value: number): number {
  return Math.asin(Math.max(-1, Math.min(1, value)));
}

function degrees(radians: number): number {
  return radians * 180 / Math.PI;
}
