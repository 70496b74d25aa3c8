import type { z } from "zod";
import { Problem, sentenceOf } from "../middleware/problem.ts";

/**
 * Parses JSON in UTF-8 by a schema.
 *
 * @param what named in the error
 * @throws {Problem} 400 if it is not JSON, or does not fit the schema
 */
export function parseJson<T>(json: Uint8Array | string, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    throw new Problem(400, `${what} is not JSON in UTF-8; check its quotes and brackets.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Problem(400, sentenceOf(parsed.error, what));
}

/**
 * Decodes base64 with the standard alphabet and padding.
 *
 * @param what named in the error
 * @throws {Problem} 400 if it is anything else
 */
export function decodeBase64(base64: string, what: string): Uint8Array<ArrayBuffer> {
  if (!/\s/.test(base64)) {
    try {
      return Uint8Array.fromBase64(base64, { lastChunkHandling: "strict" });
    } catch {
      // Told below.
    }
  }
  throw new Problem(
    400,
    `${what} is not base64; encode the bytes of the image file with the standard alphabet and padding.`,
  );
}
