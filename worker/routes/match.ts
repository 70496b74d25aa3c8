import { Hono } from "hono";
import { z } from "zod";
import type { Card } from "../../shared/card.ts";
import { similarityOf } from "../../shared/distance.ts";
import { ImageError } from "../../shared/errors.ts";
import type { Contract } from "../contract/contract.ts";
import type { RequestOf } from "../contract/endpoint.ts";
import { falseMatchProbability, falseMatchRate, isBeyondBands } from "../decision.ts";
import type { Found } from "../embedder/image_jobs.ts";
import { OverloadedError } from "../embedder/queue.ts";
import { DEFAULT_COLLECTION, type SearchResult } from "../gallery/gallery.ts";
import type { Env } from "../middleware/env.ts";
import { Problem, ProblemBody, problemBody, problemOf } from "../middleware/problem.ts";
import { whole } from "../whole.ts";
import { embeddingsOf } from "./embedding.ts";
import { choiceOf, describeFace, FaceOnImage, FaceQuery, isOne } from "./face.ts";
import { Base64Image, bytesOf, Embedding, ImageFile, type Input } from "./input.ts";
import { JsonObject, jsonText } from "./json_object.ts";
import { Name } from "./name.ts";
import type { Services } from "./services.ts";
import { DecidingThreshold, type Judgement, judgementFor, StrictnessQuery } from "./strictness.ts";
import { EmbedTiming, rounded, serverTiming } from "./timing.ts";

/** How many images one request may bring. */
const MAX_IMAGES = 32;

const FILTER = "Only subjects are compared whose metadata contains this object, with all that is in it.";

const NO_SEARCH =
  "This worker does not search for faces; compare with one subject by /verify, or start it with TRIPTYCH_FACE_SEARCH=1.";

const Neighbour = z.object({
  subject: z.string(),
  image: z.string().meta({ description: "That of the subject's images which lies nearest." }),
  distance: z.number().min(0).meta({
    description: "To a key without the scope `scores` it is told in bands: as the next greater of the distances of " +
      "the card's thresholds, or 2, and the similarity and the probability are those of that.",
  }),
  similarity: z.number().meta({ description: "The cosine, 1 - distance^2 / 2." }),
  match: z.boolean().meta({ description: "Whether the distance is within the threshold." }),
  falseMatchProbability: z.number().min(0).max(1).meta({
    description: "That somebody who is not enrolled finds one of so many subjects as near as this.",
  }),
  metadata: JsonObject,
});

const MatchTiming = EmbedTiming.extend({ search: z.number().min(0) });

const MatchAnswer = z.object({
  collection: z.string(),
  subjects: z.int().min(0).meta({ description: "How many were compared." }),
  fingerprint: z.string().meta({ description: "Of the model." }),
  decision: z.enum(["match", "no_match"]).meta({ description: "Whether the nearest is within the threshold." }),
  threshold: DecidingThreshold,
  matches: z.array(Neighbour).meta({ description: "The nearest subjects, each once." }),
  face: FaceOnImage.optional().meta({ description: "Of a model of faces: that which was looked for." }),
  timing: MatchTiming,
}).meta({ id: "MatchAnswer" });
type MatchAnswer = z.output<typeof MatchAnswer>;

const MatchFaces = z.object({
  faces: z.array(MatchAnswer).meta({ description: "For each face that is meant, the largest first, its answer." }),
  timing: MatchTiming,
}).meta({ id: "MatchFaces" });
type MatchFaces = z.output<typeof MatchFaces>;

const MatchResults = z.object({
  results: z.array(z.union([MatchAnswer, MatchFaces, ProblemBody])).meta({
    description: "For each image, in order: its answer, or what is wrong with it.",
  }),
}).meta({ id: "MatchResults" });

const MATCH = {
  id: "match",
  summary: "Who is on this image?",
  description:
    "The nearest subjects of a collection, and whether one of them is near enough. An embedding may come in the " +
    `image's place. Up to ${MAX_IMAGES} images in one form are answered one by one, each with its answer or its problem.`,
  scope: "match",
  query: StrictnessQuery.extend({
    collection: Name.default(DEFAULT_COLLECTION).meta({ description: "Where to look." }),
    k: whole(1, 100).default(5).meta({ description: "How many subjects to answer." }),
    filter: jsonText(JsonObject).optional().meta({ description: `${FILTER} It may come in the body instead.` }),
    face: FaceQuery,
    excludeSubject: Name.optional().meta({ description: "A subject that is not compared." }),
  }),
  body: {
    image: true,
    form: z.strictObject({
      image: z.array(ImageFile).min(1).max(MAX_IMAGES, `it may be at most ${MAX_IMAGES} images`),
      filter: jsonText(JsonObject).optional().meta({ description: FILTER }),
    }),
    json: z.union([
      z.strictObject({ image: Base64Image, filter: JsonObject.optional().meta({ description: FILTER }) }),
      Embedding.extend({ filter: JsonObject.optional().meta({ description: FILTER }) }),
    ]),
  },
  answers: {
    200: {
      description: "The answer to one image, or to each of its faces; to several images in a form, their results.",
      json: z.union([MatchAnswer, MatchFaces, MatchResults]),
      headers: ["server-timing"],
    },
  },
  problems: [404, 409, 422, 500, 503],
} as const satisfies Contract;

type MatchRequest = RequestOf<typeof MATCH>;

/** `POST /match`: who is on this image? */
export function matchRoutes({ card, mayMatch, images, gallery, endpoint, timed }: Services) {
  const answerTo = async (
    input: Input,
    { query, body, signal, ...caller }: MatchRequest,
  ): Promise<MatchAnswer | MatchFaces> => {
    const judgement = judgementFor(card, query, caller), choice = choiceOf(card, query.face);
    const { found, timing } = await embeddingsOf(input, card, images, choice, signal);
    const options = { k: query.k, filter: query.filter ?? filterOf(body), exclude: query.excludeSubject };
    const search = async ({ embedding, face }: Found): Promise<MatchAnswer> => {
      const { result, milliseconds } = await timed(
        "search",
        () => gallery.search(query.collection, embedding, options),
      );
      for (const { subject, distance } of result.nearest) {
        if (!isBeyondBands(card, distance)) caller.countSubject(query.collection, subject);
      }
      const answer = describe(card, query.collection, judgement, result, { ...timing, search: milliseconds });
      return { ...answer, ...face && { face: describeFace(face) } };
    };
    const faces: MatchAnswer[] = [];
    for (const one of found) faces.push(await search(one));
    if (isOne(found, choice)) return faces[0];
    const total = faces.reduce((sum, { timing }) => sum + timing.search, 0);
    return { faces, timing: rounded({ ...timing, search: total }) };
  };
  return new Hono<Env>().post(
    "/match",
    endpoint(MATCH, async (request) => {
      if (!mayMatch) throw new Problem(403, NO_SEARCH);
      const inputs = await inputsOf(request.body);
      if (inputs.length === 1) {
        const body = await answerTo(inputs[0], request);
        return { status: 200, body, headers: { "server-timing": serverTiming(body.timing) } };
      }
      const results: z.output<typeof MatchResults>["results"] = [];
      // One after the other: a request holds one place in the queue, however many images it brings.
      for (const input of inputs) results.push(await answerTo(input, request).catch(problemOfImage));
      return { status: 200, body: { results }, headers: { "server-timing": serverTiming(totalOf(results)) } };
    }),
  );
}

function describe(
  card: Card,
  collection: string,
  { threshold, seen }: Judgement,
  { subjects, nearest }: SearchResult,
  timing: MatchAnswer["timing"],
): MatchAnswer {
  const matches = nearest.map(({ subject, image, metadata, ...found }) => {
    const distance = seen(found.distance);
    return {
      subject,
      image,
      distance,
      similarity: similarityOf(distance),
      match: distance <= threshold.distance,
      falseMatchProbability: falseMatchProbability(falseMatchRate(card.calibration, distance), subjects),
      metadata,
    };
  });
  return {
    collection,
    subjects,
    fingerprint: card.fingerprint,
    decision: matches.some(({ match }) => match) ? "match" : "no_match",
    threshold,
    matches,
    timing: rounded(timing),
  };
}

async function inputsOf(body: MatchRequest["body"]): Promise<Input[]> {
  if (body.kind === "json") return [body.json];
  if (body.kind === "image") return [{ image: body.image }];
  return await Promise.all(body.form.image.map(async (file) => ({ image: await bytesOf(file) })));
}

function filterOf(body: MatchRequest["body"]): Record<string, unknown> | undefined {
  if (body.kind === "image") return undefined;
  return body.kind === "form" ? body.form.filter : body.json.filter;
}

/** What is wrong with one image, or its turn; anything else is wrong with the whole request. */
function problemOfImage(error: unknown): ProblemBody {
  if (
    error instanceof ImageError || error instanceof OverloadedError ||
    error instanceof Problem
  ) {
    return problemBody(problemOf(error, ""), "/match");
  }
  throw error;
}

function totalOf(results: (MatchAnswer | MatchFaces | ProblemBody)[]): MatchAnswer["timing"] {
  const timings = results.flatMap((result) => "timing" in result ? [result.timing] : []);
  const sum = (part: keyof MatchAnswer["timing"]) => timings.reduce((sum, timing) => sum + timing[part], 0);
  return { decode: sum("decode"), embed: sum("embed"), search: sum("search") };
}
