import type { z } from "zod";
import { Problem } from "../middleware/problem.ts";

/** How much of a name that a client made up comes back in an answer, in characters. */
const SHOWN = 64;

/**
 * Reads a part of a request by a schema.
 *
 * @param what the part's name, for a fault that is of no one field
 * @throws {Problem} 400 with one sentence of what the schema found first
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = innermost(parsed.error.issues[0]);
  const { path } = issue;
  throw new Problem(400, `${path.length === 0 ? what : `"${path.join(".")}"`} is not right: ${faultOf(issue)}.`);
}

/** Says of unknown fields, of which a client may send any number and of any length, the beginning of the first. */
function faultOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return issue.message;
  return `it has no field "${issue.keys[0].slice(0, SHOWN)}"`;
}

/** Of a value that fits none of several schemas, the fault by the one that it comes nearest to. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const [nearest] = issue.errors.toSorted((a, b) => b[0].path.length - a[0].path.length || a.length - b.length);
  const inner = innermost(nearest[0]);
  return { ...inner, path: [...issue.path, ...inner.path] };
}
