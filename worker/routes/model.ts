import { Hono } from "hono";
import { Card } from "../../shared/card.ts";
import type { Contract } from "../contract/contract.ts";
import type { Env } from "../middleware/env.ts";
import type { Services } from "./services.ts";

const Model = Card.omit({ goldens: true }).meta({ id: "Model" });

const MODEL = {
  id: "model",
  summary: "The model card",
  description:
    "What an image becomes, how good the model is on identities that it never saw, and which distance means " +
    "which false-match rate. Embeddings are bound to its fingerprint.",
  scope: "verify",
  answers: { 200: { description: "The card, without its goldens.", json: Model } },
  problems: [503],
} as const satisfies Contract;

/** `GET /model`: the card, without its goldens. */
export function modelRoutes({ card, endpoint }: Services) {
  const { goldens: _, ...body } = card;
  return new Hono<Env>().get("/model", endpoint(MODEL, () => ({ status: 200, body })));
}
