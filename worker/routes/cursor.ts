import { z } from "zod";

/** Where a listing goes on, as the page before it said. */
export const Cursor = z.string()
  .regex(/^([\w-]{4})*([\w-]{2,3})?$/, "it must be one that a listing answered; begin without one")
  .meta({ description: "That of the page before; without one, the first page." });

/** The cursor of the page after a name. */
export function cursorAt(name: string): string {
  return new TextEncoder().encode(name).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The name after which a page begins. */
export function nameAt(cursor: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
}
