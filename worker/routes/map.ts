import { Hono } from "hono";
import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import { principalAxes } from "../gallery/principal_axes.ts";
import type { Env } from "../middleware/env.ts";
import { CollectionPath } from "./name.ts";
import type { Services } from "./services.ts";

/** How many subjects and images a map shows: the work must not hold up who waits for a match. */
const MOST_SUBJECTS = 1000;
const MOST_IMAGES = 2000;

const Vector = z.array(z.number());

const MAP = {
  id: "map",
  summary: "The images of a collection on a plane",
  description:
    `The first two principal components of their embeddings, of up to ${MOST_IMAGES} images of the first ${MOST_SUBJECTS} ` +
    "subjects. It takes an administrator, for mean and axes are made of the embeddings, which no other route tells. " +
    "An embedding from `/embed` lies at its difference to the mean, times each axis.",
  scope: "admin",
  params: CollectionPath,
  answers: {
    200: {
      description: "The plane, and where each image lies on it.",
      json: z.object({
        collection: z.string(),
        images: z.int().min(0).meta({ description: "How many are enrolled, on the map or not." }),
        mean: Vector,
        axes: z.array(Vector).meta({ description: "Two of unit length; none where nothing is enrolled." }),
        explained: Vector.meta({ description: "The share of the embeddings' variance along each axis." }),
        points: z.array(z.object({ subject: z.string(), image: z.string(), x: z.number(), y: z.number() })),
      }).meta({ id: "Map" }),
    },
  },
  problems: [404, 500, 503],
} as const satisfies Contract;

/** `GET /collections/{c}/map`: the images of a collection on a plane. */
export function mapRoutes({ gallery, queue, endpoint }: Services) {
  return new Hono<Env>().get(
    "/collections/:collection/map",
    endpoint(MAP, async ({ params: { collection } }) => {
      const { images } = await gallery.collection(collection);
      const { subjects } = await gallery.subjects(collection, { after: null, limit: MOST_SUBJECTS });
      const shown = subjects.flatMap(({ subject, images }) => images.map((image) => ({ subject, ...image })))
        .slice(0, MOST_IMAGES);
      if (shown.length === 0) {
        return { status: 200, body: { collection, images, mean: [], axes: [], explained: [], points: [] } };
      }
      // deno-lint-ignore require-await
      const plane = await queue.run(async () => principalAxes(shown.map(({ embedding }) => embedding)));
      const points = shown.map(({ subject, image }, i) => ({ subject, image, ...plane.points[i] }));
      return { status: 200, body: { collection, images, ...plane, points } };
    }),
  );
}
