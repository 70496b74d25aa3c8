import { Buffer } from "node:buffer";
import { z } from "zod";

/** Where a listing goes on, as the page before it said. */
export const Cursor = z.string()
  .regex(/^([\w-]{4})*([\w-]{2,3})?$/, "it must be one that a listing answered; begin without one")
  .meta({ description: "That of the page before; without one, the first page." });

/** The cursor of the page after a name. */
export function cursorAt(name: string): string {
  return Buffer.from(name).toString("base64url");
}

/** The name after which a page begins. */
export function nameAt(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString();
}
