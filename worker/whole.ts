import { z } from "zod";

/**
 * The schema of a whole number in decimal digits, within bounds.
 *
 * @param unit named in the message, such as `bytes`
 */
export function whole(from: number, to: number, unit = "") {
  const message = `give a whole number${unit && ` of ${unit}`} from ${from} to ${to}`;
  return z.string().regex(/^\d{1,10}$/, message).transform(Number).pipe(z.int().min(from, message).max(to, message));
}
