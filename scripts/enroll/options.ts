import { z } from "zod";
import { DataError } from "../../shared/errors.ts";
import { listSamples } from "../../trainer/data/dataset.ts";
import type { Sample } from "../../trainer/data/sample.ts";
import { Name } from "../../worker/routes/name.ts";
import { whole } from "../../worker/whole.ts";

/** An option that must be given. */
export const Given = z.string("it is missing").min(1, "it is empty");

/** The options of whatever embeds a folder of photos. */
export const EmbedOptions = z.object({
  model: Given,
  data: Given.transform((path) => path.replace(/(?<=.)\/+$/, "")),
  concurrency: whole(1, 256, "threads").default(() => navigator.hardwareConcurrency),
  "max-unreadable": z.string().regex(/^[\d.]+$/, "give a share from 0 to 1").transform(Number)
    .pipe(z.number("give a share from 0 to 1").max(1, "give a share from 0 to 1")).default(0.05),
});

/**
 * The photos of a folder or a manifest; the identity of each is its subject.
 *
 * @throws {DataError} if there are none, or an identity cannot be the name of a subject
 */
export async function listPhotos(data: string): Promise<Sample[]> {
  return (await listSamples(data)).map((sample) => {
    const { success, data: identity, error } = Name.safeParse(sample.identity);
    if (success) return { ...sample, identity };
    throw new DataError(`${sample.path} cannot be enrolled as "${sample.identity}": ${error.issues[0].message}.`);
  });
}
