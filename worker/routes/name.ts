import { z } from "zod";

const RULE =
  "a name has 1 to 128 characters, none of them a control character, and not all of them white space or dots; choose another";

/**
 * The name of a collection or a subject, in the form under which it is kept, NFC. Names of nothing but dots mean other
 * things in a path.
 */
export const Name = z.string(RULE)
  // deno-lint-ignore no-control-regex
  .regex(/^[^\u0000-\u001f\u007f-\u009f]{1,128}$/u, RULE)
  .regex(/[^\s\ufeff.]/u, RULE)
  .overwrite((name) => name.toWellFormed().normalize("NFC"));

const Collection = Name.meta({ description: "The name of a collection." });
const Subject = Name.meta({ description: "The name of a subject." });

/** The path of a collection. */
export const CollectionPath = z.object({ collection: Collection });

/** The path of a subject, and how a subject is named in a body. */
export const SubjectPath = z.object({ collection: Collection, subject: Subject });

/** The path of an enrolled image. */
export const ImagePath = SubjectPath.extend({
  image: z.string().min(1).meta({ description: "The id of an enrolled image." }),
});
