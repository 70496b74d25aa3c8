import { createHash } from "node:crypto";
import { z } from "zod";
import { TriptychError } from "../../shared/errors.ts";

/** A change of who is enrolled: names and ids, never an image, an embedding or metadata. */
export interface AuditEvent {
  action: "enrol" | "delete-image" | "delete-subject" | "delete-collection";
  collection: string;
  subject?: string;
  image?: string;
}

/** What the first line has in place of the digest of the line before. */
export const GENESIS = "0".repeat(64);

const Line = z.object({ time: z.iso.datetime(), action: z.string(), collection: z.string(), previous: z.string() });

/** The state of a chain: how many lines it has, and the digest that the next one carries. */
export interface ChainState {
  lines: number;
  head: string;
}

/** A chain with a line that was changed, removed, inserted or cut. */
export class BrokenChainError extends TriptychError {
  override readonly name = "BrokenChainError";
  constructor(readonly where: string, readonly line: number, fault: string) {
    super(`The audit log in ${where} is broken at line ${line}: ${fault}; compare it with a copy.`);
  }
}

/**
 * The next line of a chain, without its end: JSON that carries the SHA-256 of the line before.
 *
 * @param time ISO 8601, UTC
 */
export function nextLine(event: AuditEvent, time: string, previous: string): string {
  return JSON.stringify({ time, ...event, previous });
}

/** What the line after this one carries: its SHA-256 in hexadecimal digits, without the line's end. */
export function digestOf(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}

/**
 * Follows a chain from its first line. Lines that are missing at its end leave a chain that holds: only a `head` that was
 * kept elsewhere tells.
 *
 * @param text the whole log
 * @param where named in the error
 * @throws {BrokenChainError} at the first line that does not belong where it stands
 */
export function followChain(text: string, where: string): ChainState {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new BrokenChainError(where, lines.length + 1, "it has no end");
  let head = GENESIS;
  for (const [i, line] of lines.entries()) {
    const previous = previousOf(line);
    if (previous === undefined) throw new BrokenChainError(where, i + 1, "it is not an entry of an audit log");
    if (previous !== head) {
      throw new BrokenChainError(where, i + 1, "it, or the line before, was changed, removed or inserted");
    }
    head = digestOf(line);
  }
  return { lines: lines.length, head };
}

function previousOf(line: string): string | undefined {
  try {
    return Line.parse(JSON.parse(line)).previous;
  } catch {
    return undefined;
  }
}
