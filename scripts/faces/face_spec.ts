import type { FaceSpec, InputSpec } from "../../shared/card.ts";
import { PIXEL_SCALES } from "../../trainer/models/pixel_scales.ts";

/** What face-resnet sees. */
export const FACE_INPUT: InputSpec = { height: 150, width: 150, channels: 3, fit: "cover", ...PIXEL_SCALES.dlib };

/** The corners of the eyes and the nose's base in dlib's mean face, whose brows, sides and chin fill the unit square. */
const MEAN_FACE = [
  { landmark: 45, x: 0.8595674595992, y: 0.2134981538014 },
  { landmark: 42, x: 0.6460604764104, y: 0.2289674387677 },
  { landmark: 36, x: 0.1205750620789, y: 0.2137274526848 },
  { landmark: 39, x: 0.3340850613712, y: 0.2290642403242 },
  { landmark: 33, x: 0.4901123135679, y: 0.6277975316475 },
];
/** dlib's border around it, as a share of its side: what the network was trained with. */
const PADDING = 0.25;

/** Where faces are aligned to in the network's input. */
const TEMPLATE = MEAN_FACE.map(({ landmark, x, y }) => {
  const place = (value: number) => Number((FACE_INPUT.width * (value + PADDING) / (1 + 2 * PADDING)).toFixed(3));
  return { landmark, x: place(x), y: place(y) };
});

/** How faces are found for face-resnet, by these networks. */
export function faceSpecOf(
  networks: Record<"detector" | "refiner" | "landmarks", FaceSpec["detector"]["network"]>,
): FaceSpec {
  return {
    detector: {
      network: networks.detector,
      size: 256,
      borders: [0, 0.3],
      minScore: 0.5,
      maxOverlap: 0.4,
      ...PIXEL_SCALES.symmetric,
    },
    refiner: {
      network: networks.refiner,
      size: 160,
      border: 0.3,
      minScore: 0.4,
      maxOverlap: 0.4,
      mean: [117.001 / 255, 114.697 / 255, 97.404 / 255],
      std: [1, 1, 1],
    },
    landmarks: { network: networks.landmarks, size: 112, ...PIXEL_SCALES.dlib },
    template: TEMPLATE,
    quality: {
      minEyeDistance: 24,
      minSharpness: 0.05,
      maxRoll: 30,
      maxYaw: 35,
      maxPitch: 35,
      minBrightness: 0.15,
      maxBrightness: 0.9,
      minContrast: 0.06,
    },
  };
}
