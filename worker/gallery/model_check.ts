import { GalleryError } from "../../shared/errors.ts";

/**
 * Makes sure that a gallery is of the model that the worker runs.
 *
 * @param where the gallery is, named in the error
 * @param enrolled fingerprint of the model that its embeddings are of
 * @param running fingerprint of the worker's model
 * @throws {GalleryError} if they differ
 */
export function checkModel(where: string, enrolled: string, running: string): void {
  if (enrolled === running) return;
  throw new GalleryError(
    `The gallery in ${where} was enrolled with the model ${short(enrolled)}, and this worker runs ${
      short(running)
    }; set TRIPTYCH_MODEL to that model, or set TRIPTYCH_GALLERY to another file and enrol again.`,
  );
}

function short(fingerprint: string): string {
  return fingerprint.slice(0, 19);
}
