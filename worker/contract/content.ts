import type { Context } from "hono";
import { z } from "zod";
import { readBody } from "../middleware/body.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import type { BodyContract } from "./contract.ts";
import { parse } from "./parse.ts";

/** The types of image files that can be decoded. */
export const IMAGE_TYPES = ["image/jpeg", "image/png", "image/webp"] as const;

/** A body as it arrived, parsed. */
export type Content =
  | { kind: "image"; image: Uint8Array<ArrayBuffer> }
  | { kind: "form"; form: unknown }
  | { kind: "json"; json: unknown };

/** The media types that a body may have. */
export function mediaTypesOf({ image, form, json }: BodyContract): string[] {
  return [
    ...image === undefined ? [] : IMAGE_TYPES,
    ...form === undefined ? [] : ["multipart/form-data"],
    ...json === undefined ? [] : ["application/json"],
  ];
}

/**
 * Reads a body in one of the ways that a contract names.
 *
 * @param maxBody bytes
 * @param assertRoom throws if an image could not be worked on now, before it is read
 * @throws {Problem} 400 if it is malformed or breaks off, 408 if it is too slow, 413 if it is too large, 415 if it is of another type
 */
export async function readContent(
  c: Context<Env>,
  contract: BodyContract,
  maxBody: number,
  assertRoom: () => void,
): Promise<Content> {
  const type = (c.req.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (contract.image !== undefined && type.startsWith("image/")) {
    assertRoom();
    const image = await readBody(c, maxBody);
    if (image.length === 0) throw new Problem(400, "The body is empty; send a JPEG, PNG or WebP image.");
    return { kind: "image", image };
  }
  if (contract.form !== undefined && type === "multipart/form-data") {
    return { kind: "form", form: parse(contract.form, await readForm(c, contract.form, maxBody), "The form") };
  }
  if (contract.json !== undefined && type === "application/json") {
    return { kind: "json", json: parse(contract.json, await readJson(c, contract, maxBody), "The body") };
  }
  if (contract.optional && contract.json !== undefined && (await readBody(c, maxBody)).length === 0) {
    return { kind: "json", json: parse(contract.json, {}, "The body") };
  }
  throw new Problem(
    415,
    `The content-type "${type}" is not supported; send ${mediaTypesOf(contract).join(", ")}.`,
  );
}

async function readJson(c: Context<Env>, { optional }: BodyContract, maxBody: number): Promise<unknown> {
  const body = await readBody(c, maxBody);
  if (optional && body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Problem(400, "The body is not JSON in UTF-8; check its quotes and brackets.");
  }
}

/** The fields of a form by name: all that there are of one if there may be several, otherwise the one. */
async function readForm(c: Context<Env>, { shape }: z.ZodObject, maxBody: number): Promise<Record<string, unknown>> {
  const body = await readBody(c, maxBody);
  const headers = { "content-type": c.req.header("content-type") ?? "" };
  const form = await new Response(body, { headers }).formData().catch(() => {
    throw new Problem(400, "The body is not the multipart/form-data that its content-type announces; send it again.");
  });
  return Object.fromEntries(
    // Not Map.groupBy, which Node 20 lacks.
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name);
      return [name, values.length > 1 || shape[name] instanceof z.ZodArray ? values : values[0]];
    }),
  );
}
