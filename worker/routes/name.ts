import { Problem } from "../middleware/problem.ts";

/**
 * The name of a collection or subject in the form under which it is kept, NFC: 1 to 128 characters (UTF-16 code units), none
 * of them a control character, not all of them white space, and neither `.` nor `..`, which mean other things in a path.
 *
 * @param what it is the name of
 * @throws {Problem} 400
 */
export function nameOf(text: string, what: "collection" | "subject"): string {
  const name = text.normalize("NFC");
  if (name.trim() !== "" && name.length <= 128 && !/\p{Cc}|\p{Cs}|^\.\.?$/u.test(name)) return name;
  throw new Problem(
    400,
    `The name of a ${what} has 1 to 128 characters, no control characters and more than white space, and is not . or ..; choose another.`,
  );
}

/**
 * The names in the path of a subject.
 *
 * @throws {Problem} 400
 */
export function namesOf({ collection, subject }: { collection: string; subject: string }) {
  return { collection: nameOf(collection, "collection"), subject: nameOf(subject, "subject") };
}
