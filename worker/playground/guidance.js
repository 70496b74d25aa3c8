/**
 * What a person in front of the camera may do for a better photo, in a few words; null if the face is good enough.
 *
 * @param faces as they were found, each with its quality
 * @param limits those of the card
 */
export function guidanceOf(faces, limits) {
  if (faces.length === 0) return "Look into the camera.";
  if (faces.length > 1) return "One person at a time, please.";
  const [{ quality }] = faces;
  if (quality.eyeDistance < limits.minEyeDistance) return "Come closer.";
  if (quality.brightness < limits.minBrightness || quality.contrast < limits.minContrast) return "More light, please.";
  if (quality.brightness > limits.maxBrightness) return "Less light, please.";
  if (Math.abs(quality.roll) > limits.maxRoll) return "Hold your head upright.";
  if (Math.abs(quality.yaw) > limits.maxYaw) return "Turn your face to the camera.";
  if (Math.abs(quality.pitch) > limits.maxPitch) return "Look straight ahead.";
  if (quality.sharpness < limits.minSharpness) return "Hold still.";
  return null;
}
