import { Problem } from "../middleware/problem.ts";

/**
 * The name of a collection or subject that may be made: 1 to 128 characters, none of them a control character.
 *
 * @throws {Problem} 400
 */
export function nameOf(text: string, what: string): string {
  if (text.length > 0 && text.length <= 128 && !/\p{Cc}|\p{Cs}/u.test(text)) return text;
  throw new Problem(400, `The name of a ${what} has 1 to 128 characters and no control characters; choose another.`);
}
