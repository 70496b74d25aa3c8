import { z } from "zod";
import type { Card } from "../../shared/card.ts";
import type { FaceQuality } from "../../shared/face/mod.ts";
import type { FaceChoice, FoundFace } from "../embedder/look.ts";
import { Problem } from "../middleware/problem.ts";

const NUMBER = z.string().regex(/^[1-9]\d{0,2}$/, "give largest, all, or the number of a face, from 1").transform(
  Number,
);

/** One of the faces of an image. */
export const OneFace = z.union([z.literal("largest"), NUMBER], "give largest, or the number of a face, from 1");

/** Which faces of an image are meant. */
export const FaceQuery = z.union([OneFace, z.literal("all")], "give largest, all, or the number of a face, from 1")
  .optional()
  .meta({
    description:
      "Of a model of faces: which of the image's are meant, the largest, all, or one by its number, of which the largest " +
      "has 1. Without it, the only one; where there are several, all.",
  });

const pixels = z.number().meta({ description: "In pixels of the upright image." });
const degrees = (description: string) => z.number().meta({ description: `Degrees by which the head ${description}.` });

/** A face on an image. */
export const FaceOnImage = z.object({
  box: z.object({ x: pixels, y: pixels, width: pixels, height: pixels, score: z.number().min(0).max(1) }),
  landmarks: z.array(z.object({ x: pixels, y: pixels })).meta({
    description: "The 68 points of the iBUG 300-W scheme: jaw, brows, nose, eyes, mouth.",
  }),
  quality: z.object({
    eyeDistance: z.number().meta({ description: "Between the eyes, pixels of the image." }),
    sharpness: z.number().meta({ description: "Low where the face is blurred." }),
    roll: degrees("leans to a shoulder"),
    yaw: degrees("is turned to a side, estimated"),
    pitch: degrees("looks down, estimated"),
    brightness: z.number().meta({ description: "Mean luma, 0 to 1." }),
    contrast: z.number().meta({ description: "Standard deviation of the luma, 0 to 1." }),
  }),
}).meta({ id: "Face" });

/** A face as it is answered: places to a hundredth of a pixel, measures to three digits. */
export function describeFace({ box, landmarks, quality }: FoundFace): z.output<typeof FaceOnImage> {
  const place = (value: number) => Math.round(100 * value) / 100;
  return {
    box: {
      ...{ x: place(box.x), y: place(box.y), width: place(box.width), height: place(box.height) },
      score: Number(box.score.toPrecision(3)),
    },
    landmarks: landmarks.map(({ x, y }) => ({ x: place(x), y: place(y) })),
    quality: Object.fromEntries(
      Object.entries(quality).map(([measure, value]) => [measure, Number(value.toPrecision(3))]),
    ) as Record<keyof FaceQuality, number>,
  };
}

/**
 * What a request means by the faces that it asks for.
 *
 * @throws {Problem} 400 if the model is none of faces
 */
export function choiceOf({ domain }: Pick<Card, "domain">, face: FaceChoice | undefined): FaceChoice | undefined {
  if (face === undefined || domain === "face") return face;
  throw new Problem(400, `"face" is not right: this worker's model embeds whole images; leave it out.`);
}

/** Whether one answer stands for what was found, and not a list: unless all faces are asked for, or there are several. */
export function isOne(found: readonly unknown[], choice: FaceChoice | undefined): boolean {
  return choice !== "all" && found.length === 1;
}
