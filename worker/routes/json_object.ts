import { z } from "zod";

const MAX_BYTES = 8 << 10;

/** Any JSON object of up to 8 KiB: the metadata of a subject, and what is asked of it. It is kept just as it was sent. */
export const JsonObject = z.custom<Record<string, unknown>>(
  (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  "it must be a JSON object",
).refine((value) => bytesOf(value) <= MAX_BYTES, "it must be at most 8 KiB of JSON").meta({ type: "object" });

/** What a schema describes as a JSON text, in a query or a form. */
export function jsonText<Schema extends z.ZodType>(schema: Schema) {
  return z.string().transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue("it must be JSON");
      return z.NEVER;
    }
  }).pipe(schema as Schema & z.ZodType<z.output<Schema>, unknown>);
}

/** How long a value is as JSON in UTF-8. */
function bytesOf(value: unknown): number {
  try {
    return new TextEncoder().encode(JSON.stringify(value)).length;
  } catch {
    // It is nested deeper than the stack is high.
    return Infinity;
  }
}
