import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import { choiceOf, OneFace } from "./face.ts";
import { Base64Image, ImageFile, inputOf } from "./input.ts";
import type { Services } from "./services.ts";

const PREVIEW = {
  id: "preview",
  summary: "An image as the network sees it",
  description: "Upright, fitted and scaled to the network's input, before mean and standard deviation.",
  scope: "verify",
  query: z.object({
    face: OneFace.optional().meta({
      description: "Of a model of faces: which of the image's; the largest without it.",
    }),
  }),
  body: {
    image: true,
    form: z.strictObject({ image: ImageFile }),
    json: z.strictObject({ image: Base64Image }),
  },
  answers: { 200: { description: "A PNG of the input's size.", bytes: "image/png" } },
  problems: [422, 503],
} as const satisfies Contract;

/** `POST /preview`: an image as the network sees it. */
export function previewRoutes({ card, images, endpoint }: Services) {
  return new Hono<Env>().post(
    "/preview",
    endpoint(PREVIEW, async ({ query, body, signal }) => {
      const { image } = await inputOf(body);
      return { status: 200, body: await images.preview(image, signal, choiceOf(card, query.face)) };
    }),
  );
}
