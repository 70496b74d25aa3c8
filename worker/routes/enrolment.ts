import { z } from "zod";
import { FaceOnImage } from "./face.ts";

/** What is answered to an image that was enrolled. */
export const Enrolment = z.object({
  subject: z.string(),
  image: z.string().meta({ description: "The id of the enrolled image." }),
  images: z.int().min(1).meta({ description: "How many the subject has now." }),
  face: FaceOnImage.optional().meta({ description: "Of a model of faces: that which was enrolled." }),
}).meta({ id: "Enrolment" });

/** Why an enrolment waits for a review. */
export const Doubts = z.array(z.enum(["far-from-subject", "close-to-other"])).meta({
  description: "`far-from-subject`: past the loosest threshold of the card from all images of its subject. " +
    "`close-to-other`: within the strictest of another subject.",
});
