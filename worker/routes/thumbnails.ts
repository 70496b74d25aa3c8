import { Hono } from "hono";
import { decodeShrunk, encodeJpeg, readHeader } from "../../shared/image/mod.ts";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { ImagePath } from "./name.ts";
import type { Services } from "./services.ts";

const LONG_SIDE = 128;
const QUALITY = 75;

const THUMBNAIL = {
  id: "getThumbnail",
  summary: "The small picture of an enrolled image",
  description:
    "Kept only of images that were enrolled while the operator had chosen to keep them, and deleted with them.",
  scope: "enroll",
  params: ImagePath,
  answers: {
    200: { description: `A JPEG of about ${LONG_SIDE} pixels at its longer side.`, bytes: "image/jpeg" },
  },
  problems: [404, 500, 503],
} as const satisfies Contract;

/** `GET /collections/{c}/subjects/{s}/images/{i}/thumbnail`: the picture that was kept. */
export function thumbnailRoutes({ gallery, endpoint }: Services) {
  return new Hono<Env>().get(
    "/collections/:collection/subjects/:subject/images/:image/thumbnail",
    endpoint(THUMBNAIL, async ({ params: { collection, subject, image } }) => {
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

/**
 * A small picture of an image, upright.
 *
 * @returns a JPEG
 * @throws {ImageError} if the bytes are no image that we decode
 */
export async function thumbnailOf(image: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = readHeader(image);
  const shortSide = Math.max(1, LONG_SIDE * Math.min(width, height) / Math.max(width, height));
  return await encodeJpeg(await decodeShrunk(image, shortSide), QUALITY);
}
