/**
 * The errors that a person is told about. `message` is always one sentence (or two) that says what is wrong, where, and
 * what to do; the facts behind it stand in fields. Anything else that is thrown is a defect of ours.
 */
export class TriptychError extends Error {
  override readonly name: string = "TriptychError";
}

/** Wrong usage of a command or a setting that cannot be: exit status 2. */
export class UsageError extends TriptychError {
  override readonly name = "UsageError";
}

/** Photos that cannot be used as a data set: missing, unreadable, too few. */
export class DataError extends TriptychError {
  override readonly name = "DataError";
}

/** Why the faces of an image were refused: there is none, there are several, or it is not good enough. */
export const FACE_FAULTS = ["no-face", "several-faces", "poor-face"] as const;

/**
 * Why an image was refused: its format is none we read, its bytes are damaged, its dimensions pass the limit, or it does not
 * show the face that is needed.
 */
export type ImageFault = "unsupported" | "undecodable" | "too-large" | typeof FACE_FAULTS[number];

/** An image that we cannot use. */
export class ImageError extends TriptychError {
  override readonly name = "ImageError";
  /** @param options with what a decoder threw as its cause */
  constructor(readonly fault: ImageFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** A model directory that is missing, damaged, not ours, or computes something else than its goldens say. */
export class ModelError extends TriptychError {
  override readonly name = "ModelError";
}

/** A gallery that is damaged or bound to another model. */
export class GalleryError extends TriptychError {
  override readonly name = "GalleryError";
}

/** The sentence for a person of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
