import { Buffer } from "node:buffer";
import { z } from "zod";

const EMPTY = "it is empty; send a JPEG, PNG or WebP image";

/** RFC 4648, section 4, to the last bit. For readers of the contract; the decoder does not need it. */
const BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/** A picture of one grey pixel, PNG. */
const EXAMPLE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==";

/** The bytes of an image file as JSON carries them. */
export const Base64Image = z.string("it must be the image in base64")
  .min(4, EMPTY)
  .meta({
    contentEncoding: "base64",
    pattern: BASE64,
    description: "The bytes of a JPEG, PNG or WebP file.",
    examples: [EXAMPLE],
  })
  .transform((text, context) => {
    const bytes = decodeBase64(text);
    if (bytes !== null) return bytes;
    context.addIssue("it is not base64; encode the image file with the standard alphabet and padding");
    return z.NEVER;
  });

/** An image file in a form. */
export const ImageFile = z.file("it must be a file; put the image there").min(1, EMPTY);

/** An embedding that the client computed, or kept from `/embed`. */
export const Embedding = z.strictObject({
  embedding: z.custom<number[]>(isNumbers, "it must be an array of finite numbers").meta({
    type: "array",
    items: { type: "number" },
    description: "As many numbers as `GET /model` says, of unit length.",
  }),
  fingerprint: z.string("it must be the fingerprint of the embedding's model, as /embed answers it")
    .regex(/^sha256:[0-9a-f]{64}$/, "it must be the fingerprint of a model, sha256: and 64 hexadecimal digits")
    .meta({ description: "Of the model that the embedding is of." }),
});
type Embedding = z.output<typeof Embedding>;

/** What a request brings to be recognised or enrolled. */
export type Input = { image: Uint8Array<ArrayBuffer> } | Embedding;

/** The image of a request that takes one image in every way, or one embedding as JSON. */
export async function inputOf<Json>(
  body:
    | { kind: "image"; image: Uint8Array<ArrayBuffer> }
    | { kind: "form"; form: { image: File } }
    | { kind: "json"; json: Json },
): Promise<{ image: Uint8Array<ArrayBuffer> } | Json> {
  if (body.kind === "json") return body.json;
  return { image: body.kind === "form" ? await bytesOf(body.form.image) : body.image };
}

/** The content of a file in a form. */
export async function bytesOf(file: File): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.arrayBuffer());
}

/** Faster than a schema for every number, of which there may be millions, and with one fault at most. */
function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

/** Decodes base64 with the standard alphabet and padding. @returns null if it is anything else */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  // Node has Uint8Array.fromBase64 from version 25; Buffer skips what is no base64.
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : null;
}
