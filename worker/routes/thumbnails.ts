import { Hono } from "hono";
import type { Contract } from "../contract/contract.ts";
import { THUMBNAIL } from "../embedder/image_jobs.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { ImagePath } from "./name.ts";
import type { Services } from "./services.ts";

const GET = {
  id: "getThumbnail",
  summary: "The small picture of an enrolled image",
  description:
    "Kept only of images that were enrolled while the operator had chosen to keep them, and deleted with them.",
  scope: "enroll",
  params: ImagePath,
  answers: {
    200: { description: `A JPEG of about ${THUMBNAIL.longSide} pixels at its longer side.`, bytes: "image/jpeg" },
  },
  problems: [404, 500, 503],
} as const satisfies Contract;

/** `GET /collections/{c}/subjects/{s}/images/{i}/thumbnail`: the picture that was kept. */
export function thumbnailRoutes({ gallery, endpoint }: Services) {
  return new Hono<Env>().get(
    "/collections/:collection/subjects/:subject/images/:image/thumbnail",
    endpoint(GET, async ({ params: { collection, subject, image } }) => {
      const { images } = await gallery.subject(collection, subject);
      const body = images.find((enrolled) => enrolled.image === image)?.thumbnail;
      if (body === undefined) {
        throw new Problem(
          404,
          `No thumbnail is kept of an image "${image}"; set TRIPTYCH_THUMBNAILS=1 and enrol it again.`,
        );
      }
      return { status: 200, body };
    }),
  );
}
