import type { CollectionRecord, ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import { TriptychError } from "../../shared/errors.ts";

export type { CollectionRecord, ImageRecord, SubjectRecord };

/** The collection that is always there. */
export const DEFAULT_COLLECTION = "default";

/** How many are enrolled in a collection. */
export interface CollectionSummary {
  collection: string;
  subjects: number;
  images: number;
}

/** One page of a listing, in the order of `compareNames`. */
export interface SubjectPage {
  subjects: SubjectRecord[];
  /** The last subject of this page if there are more, to be given as `after`. */
  next: string | null;
}

/** A subject and that image of it which lies nearest. */
export interface Neighbour {
  subject: string;
  image: string;
  distance: number;
  metadata: Record<string, unknown>;
}

/** What a search found. */
export interface SearchResult {
  /** How many subjects were compared: those with an image, not expired, not excluded, that contain the filter. */
  subjects: number;
  /** The nearest subjects, each once, ascending in distance and then in the order of `compareNames`. */
  nearest: Neighbour[];
}

/** What `putSubject` replaces. */
export interface SubjectFields {
  metadata: Record<string, unknown>;
  /** ISO 8601, UTC */
  expiresAt: string | null;
}

/** What is enrolled beside an embedding. `expiresAt` is that of the subject if it is new; null, as by default, for never. */
export type Beside = Pick<ImageRecord, "request" | "thumbnail"> & Partial<Pick<SubjectFields, "expiresAt">>;

/** A condition on the revision of the subject that a change meets: one of these, or any that is there. */
export type RevisionCondition = "any" | readonly string[];

/** What a search compares, and how much of it it finds. */
export interface SearchOptions {
  /** How many subjects at most. */
  k: number;
  /** Only subjects whose metadata contains it, as `contains` says. */
  filter?: Record<string, unknown> | undefined;
  /** A subject that is left out. */
  exclude?: string | undefined;
}

/**
 * Who is enrolled, by collection. What has expired is not there. A change is durable, in the way of the store, when its
 * promise resolves; when it rejects, nothing was changed.
 *
 * Everything that names a collection rejects with `UnknownError` if there is none; so do subjects and images.
 */
export interface Gallery {
  /** Whether every change rejects with `ReadOnlyError`. */
  readonly isReadOnly?: true;
  /** All collections, in the order of `compareNames`. */
  collections(): Promise<CollectionSummary[]>;
  collection(collection: string): Promise<CollectionSummary>;
  /** Makes a collection. @returns whether it is new */
  putCollection(collection: string): Promise<boolean>;
  /** Removes a collection and all in it; `default` is only emptied. */
  deleteCollection(collection: string): Promise<void>;
  /** @param page.after the name of the subject after which to go on */
  subjects(collection: string, page: { after: string | null; limit: number }): Promise<SubjectPage>;
  subject(collection: string, subject: string): Promise<SubjectRecord>;
  /**
   * Creates a subject, and its collection, or replaces its fields; its images stay.
   *
   * @throws {StaleError} if the condition does not hold
   */
  putSubject(
    collection: string,
    subject: string,
    fields: SubjectFields,
    condition?: RevisionCondition,
  ): Promise<{ record: SubjectRecord; created: boolean }>;
  /** @throws {StaleError} if the condition does not hold */
  deleteSubject(collection: string, subject: string, condition?: RevisionCondition): Promise<void>;
  /**
   * Enrols one more image, creating the subject and its collection if they are new. A request that was made before
   * gives the image that it made then, as long as that is there, whatever the condition.
   *
   * @param beside what is kept with the embedding, and of a subject that is new
   * @throws {RepeatedKeyError} if the request's key was used for other content
   * @throws {StaleError} if the condition does not hold
   */
  addImage(
    collection: string,
    subject: string,
    embedding: Float32Array,
    beside?: Beside,
    condition?: RevisionCondition,
  ): Promise<{ image: string; record: SubjectRecord }>;
  /** @throws {StaleError} if the condition does not hold */
  deleteImage(collection: string, subject: string, image: string, condition?: RevisionCondition): Promise<void>;
  /**
   * The nearest subjects.
   *
   * @param embedding `[dim] float32`, unit length
   */
  search(collection: string, embedding: Float32Array, options: SearchOptions): Promise<SearchResult>;
  /** All that is in the gallery, as it is at one moment. */
  snapshot(): Promise<CollectionRecord[]>;
  /**
   * Puts subjects of another gallery of the model where their records are as they were there, with their images' ids, times
   * and requests; makes the collection if it is new. A subject that is there already gets the images which it lacks, and
   * keeps the rest, those of the same id too: the same again changes nothing.
   *
   * @param replace a subject that is there already becomes the one that is given, and has its images alone, unless it is
   * of the same revision
   */
  restore(collection: string, subjects: readonly SubjectRecord[], replace?: boolean): Promise<void>;
  /** Names what the gallery holds: another string after every change, of other processes too, and after an expiry. */
  version(): Promise<string>;
  /**
   * Yields the version whenever it is another one: at once after a change of this process, within 5 s after one of another.
   * Changes that come faster than they are taken are yielded as one.
   */
  watch(signal: AbortSignal): AsyncIterable<string>;
  /** Waits until all changes are durable, and releases what is held. */
  close(): Promise<void>;
}

/** A collection, subject or image that is not there. */
export class UnknownError extends TriptychError {
  override readonly name = "UnknownError";
  constructor(readonly what: "collection" | "subject" | "image" | "review", readonly id: string) {
    super(`There is no ${what} "${id}"${what === "collection" ? "; the first enrolment makes it" : ""}.`);
  }
}

/** A change on the condition of a revision that is not the present one. */
export class StaleError extends TriptychError {
  override readonly name = "StaleError";
  constructor(readonly subject: string) {
    super(`The subject "${subject}" was changed since; read it again and repeat the change with its new ETag.`);
  }
}

/** A change of a gallery that is served from a snapshot. */
export class ReadOnlyError extends TriptychError {
  override readonly name = "ReadOnlyError";
  constructor() {
    super(
      "The gallery is a snapshot, which is read-only; change the gallery that it was exported from, and export again.",
    );
  }
}

/** A change for which the store has no room left; nothing was changed. */
export class StorageFullError extends TriptychError {
  override readonly name = "StorageFullError";
  /** @param where the store is, for who runs the worker */
  constructor(readonly where: string) {
    super(`There is no room left for the gallery in ${where}, and nothing was changed; make room there.`);
  }
}

/** An idempotency key that was used for something else. */
export class RepeatedKeyError extends TriptychError {
  override readonly name = "RepeatedKeyError";
  constructor(readonly key: string) {
    super("This Idempotency-Key was used for another image of the subject; make a new key for a new image.");
  }
}
