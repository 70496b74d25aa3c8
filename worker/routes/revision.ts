import { z } from "zod";
import type { RevisionCondition, SubjectRecord } from "../gallery/gallery.ts";

/** The header by which a change is made only to the subject that the client has read. */
export const IfMatch = z.object({
  "if-match": z.string().optional().meta({
    description: "An ETag of the subject: if it has another by now, or is not there, nothing is changed.",
  }),
});

/** The `ETag` of a subject. */
export function etagOf({ revision }: SubjectRecord): string {
  return `"${revision}"`;
}

/** The revisions of `If-Match`: strong comparison, so weak tags match none (RFC 9110, section 13.1.1). */
export function conditionOf({ "if-match": header }: z.output<typeof IfMatch>): RevisionCondition | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === "*") return "any";
  return header.split(",").flatMap((tag) => /^\s*"([^"]*)"\s*$/.exec(tag)?.[1] ?? []);
}
