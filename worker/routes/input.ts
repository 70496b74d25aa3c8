import type { Context } from "hono";
import { z } from "zod";
import { readBody } from "../middleware/body.ts";
import type { Env } from "../middleware/env.ts";
import { Problem } from "../middleware/problem.ts";
import { decodeBase64, parseJson } from "./json.ts";

const JsonObject = z.custom<Record<string, unknown>>(
  (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  "it must be a JSON object",
);

const Body = z.object({
  image: z.string("it must be the image in base64").optional(),
  embedding: z.array(z.number("it must be finite numbers"), "it must be an array of numbers").optional(),
  fingerprint: z.string("it must be the model's fingerprint").optional(),
  filter: JsonObject.optional(),
});

/** What a request brings to be recognised or enrolled. */
export type Input =
  | { kind: "image"; image: Uint8Array<ArrayBuffer>; filter: Record<string, unknown> | undefined }
  | { kind: "embedding"; embedding: number[]; fingerprint: string; filter: Record<string, unknown> | undefined };

/**
 * Reads an image (raw, multipart field `image`, or base64 in JSON) or an embedding (JSON), with a filter if there is one.
 *
 * @throws {Problem} 400, 413 or 415
 */
export async function readInput(c: Context<Env>, maxBody: number): Promise<Input> {
  const type = mediaType(c);
  const filter = parseFilter(c.req.query("filter"));
  if (type.startsWith("image/")) {
    return { kind: "image", image: notEmpty(await readBody(c, maxBody), "The body"), filter };
  }
  if (type === "multipart/form-data") {
    const form = await readForm(c, maxBody);
    const field = form.get("filter");
    return {
      kind: "image",
      image: await imageOf(form, "image"),
      filter: filter ?? parseFilter(typeof field === "string" ? field : undefined),
    };
  }
  if (type === "application/json") {
    const body = parseJson(await readBody(c, maxBody), Body, "The body");
    return { ...contentOf(body), filter: filter ?? body.filter };
  }
  throw unsupported(type);
}

/** The media type of the body, without parameters, in lower case. */
export function mediaType(c: Context<Env>): string {
  return (c.req.header("content-type") ?? "").split(";")[0].trim().toLowerCase();
}

/** @throws {Problem} 400 if the body is no form */
export async function readForm(c: Context<Env>, maxBody: number): Promise<FormData> {
  const body = await readBody(c, maxBody);
  try {
    return await new Response(body, { headers: { "content-type": c.req.header("content-type") ?? "" } }).formData();
  } catch {
    throw new Problem(400, "The body is not the multipart/form-data that its content-type announces; send it again.");
  }
}

/**
 * The file in a field of a form.
 *
 * @throws {Problem} 400 if it is not there or empty
 */
export async function imageOf(form: FormData, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const field = form.get(name);
  if (!(field instanceof Blob)) {
    throw new Problem(400, `The form has no file in its field "${name}"; put the image there.`);
  }
  return notEmpty(new Uint8Array(await field.arrayBuffer()), `The field "${name}"`);
}

/** @throws {Problem} 400 if there is nothing */
export function notEmpty(bytes: Uint8Array<ArrayBuffer>, what: string): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) throw new Problem(400, `${what} is empty; send a JPEG, PNG or WebP image.`);
  return bytes;
}

/** The refusal of a body of another type than those of the interface. */
export function unsupported(type: string): Problem {
  return new Problem(
    415,
    `The content-type "${type}" is not supported; send image/jpeg, image/png, image/webp, multipart/form-data or application/json.`,
  );
}

function contentOf({ image, embedding, fingerprint }: z.infer<typeof Body>) {
  if ((image === undefined) === (embedding === undefined)) {
    throw new Problem(400, 'The body needs either "image" in base64, or "embedding" and "fingerprint".');
  }
  if (image !== undefined) {
    return { kind: "image" as const, image: notEmpty(decodeBase64(image, '"image"'), '"image"') };
  }
  if (fingerprint === undefined) {
    throw new Problem(400, 'An "embedding" needs the "fingerprint" of its model beside it, as /embed answers them.');
  }
  return { kind: "embedding" as const, embedding: embedding!, fingerprint };
}

function parseFilter(text: string | undefined): Record<string, unknown> | undefined {
  return text === undefined ? undefined : parseJson(text, JsonObject, "The filter");
}
