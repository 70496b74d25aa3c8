import { z } from "zod";
import type { Card } from "../../shared/card.ts";
import { bandedThresholdFor, bandOf, DEFAULT_FMR, thresholdFor } from "../decision.ts";
import { lacks } from "../keys/authorize.ts";
import type { Caller } from "../keys/caller.ts";

const NUMBER = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What a request may ask of the distance at which two images are called the same. */
export const StrictnessQuery = z.object({
  fmr: z.string()
    .regex(NUMBER, "give a number above 0 and below 1")
    .transform(Number)
    .pipe(z.number().gt(0, "give a number above 0").lt(1, "give a number below 1"))
    .optional()
    .meta({
      description:
        `The share of strangers that may be taken for the same, by default ${DEFAULT_FMR} unless maxDistance is given.`,
    }),
  maxDistance: z.string()
    .regex(NUMBER, "give a number from 0 to 2")
    .transform(Number)
    .pipe(z.number().min(0).max(2, "give a number from 0 to 2"))
    .optional()
    .meta({
      description: "The largest distance of the same, instead of fmr; of both the stricter one holds. It takes a key " +
        'with the scope "scores": with one after the other, any distance could be found.',
    }),
});

/** How a request's images are judged. */
export interface Judgement {
  threshold: z.output<typeof DecidingThreshold>;
  /** A distance as the caller may see it: itself, or the farther edge of its band. */
  seen(distance: number): number;
}

/** @throws {Problem} 403 if the request asks for what takes the scope "scores" */
export function judgementFor(
  card: Card,
  query: z.output<typeof StrictnessQuery>,
  { seesScores }: Pick<Caller, "seesScores">,
): Judgement {
  if (seesScores) return { threshold: thresholdFor(card, query), seen: (distance) => distance };
  if (query.maxDistance !== undefined) throw lacks("scores");
  return { threshold: bandedThresholdFor(card, query.fmr), seen: (distance) => bandOf(card, distance) };
}

/** The distance that decided, and the rate that belongs to it. */
export const DecidingThreshold = z.object({
  fmr: z.number().gt(0).max(1).meta({ description: "The share of strangers that are as near as this." }),
  distance: z.number().min(0),
});
