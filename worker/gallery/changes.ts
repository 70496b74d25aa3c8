import { ulid } from "ulid";
import {
  type Beside,
  type Gallery,
  type ImageRecord,
  RepeatedKeyError,
  type RevisionCondition,
  StaleError,
  type SubjectFields,
  type SubjectRecord,
  UnknownError,
} from "./gallery.ts";

/** A subject with other fields, as `Gallery.putSubject` makes it. @throws {StaleError} if the condition does not hold */
export function withFields(
  previous: SubjectRecord | undefined,
  subject: string,
  fields: SubjectFields,
  condition: RevisionCondition | undefined,
): Awaited<ReturnType<Gallery["putSubject"]>> {
  checkRevision(previous, subject, condition);
  const record = { subject, ...fields, revision: ulid(), images: previous?.images ?? [] };
  return { record, created: previous === undefined };
}

/**
 * A subject with one image more, as `Gallery.addImage` makes it; the same record if the request made its image before.
 *
 * @param now milliseconds since 1970
 * @throws {RepeatedKeyError} if the request's key was used for other content
 * @throws {StaleError} if the condition does not hold
 */
export function withImage(
  previous: SubjectRecord | undefined,
  subject: string,
  { expiresAt = null, ...enrolled }: Pick<ImageRecord, "embedding"> & Beside,
  condition: RevisionCondition | undefined,
  now: number,
): Awaited<ReturnType<Gallery["addImage"]>> {
  const { request } = enrolled;
  const made = previous?.images.find((image) => request !== undefined && image.request?.key === request.key);
  if (previous !== undefined && made !== undefined) {
    if (made.request?.digest !== request?.digest) throw new RepeatedKeyError(request?.key ?? "");
    return { image: made.image, record: previous };
  }
  checkRevision(previous, subject, condition);
  const image = ulid();
  const added = { image, createdAt: new Date(now).toISOString(), ...enrolled };
  const before = previous ?? { metadata: {}, expiresAt, images: [] };
  return { image, record: { ...before, subject, revision: ulid(), images: [...before.images, added] } };
}

/**
 * A subject with one image less, as `Gallery.deleteImage` makes it.
 *
 * @throws {UnknownError} if it has no such image
 * @throws {StaleError} if the condition does not hold
 */
export function withoutImage(
  record: SubjectRecord,
  image: string,
  condition: RevisionCondition | undefined,
): SubjectRecord {
  const images = record.images.filter((enrolled) => enrolled.image !== image);
  if (images.length === record.images.length) throw new UnknownError("image", image);
  checkRevision(record, record.subject, condition);
  return { ...record, revision: ulid(), images };
}

/** @throws {StaleError} if a condition does not hold */
export function checkRevision(
  record: SubjectRecord | undefined,
  subject: string,
  condition: RevisionCondition | undefined,
): void {
  if (condition === undefined || (condition === "any" && record !== undefined)) return;
  if (condition === "any" || record === undefined || !condition.includes(record.revision)) {
    throw new StaleError(subject);
  }
}
