import type { ImageRecord, SubjectRecord } from "./gallery.ts";
import type { Step } from "./records.ts";

/** What a journal comes to: each collection and each subject once. */
export interface NetChanges {
  /** The collections that came or went, or came anew, and whether they are there now. */
  collections: Map<string, boolean>;
  /** The subjects that were changed in collections as they are now. */
  subjects: Extract<Step, { subject: string }>[];
}

/** What a journal comes to. */
export function netChangesOf(journal: readonly Step[]): NetChanges {
  const collections = new Map<string, boolean>();
  const subjects = new Map<string, Map<string, Extract<Step, { subject: string }>>>();
  for (const step of journal) {
    if (step.subject === undefined) {
      collections.set(step.collection, step.next !== undefined);
      subjects.delete(step.collection);
      continue;
    }
    const changed = subjects.get(step.collection) ?? new Map();
    subjects.set(step.collection, changed);
    changed.set(step.subject, { ...step, previous: (changed.get(step.subject) ?? step).previous });
  }
  return { collections, subjects: [...subjects.values()].flatMap((changed) => [...changed.values()]) };
}

/**
 * The images that a subject loses and those that it gets, in their order. Stores tell images in the order in which they were
 * written, so where one has another embedding than before, all are written anew.
 */
export function imageChanges(
  previous: SubjectRecord | undefined,
  next: SubjectRecord | undefined,
): { gone: readonly ImageRecord[]; added: readonly ImageRecord[] } {
  const before = previous?.images ?? [], after = next?.images ?? [];
  const kept = new Map(before.map((image) => [image.image, image]));
  const isAnew = after.some(({ image, embedding }) => {
    const known = kept.get(image);
    return known !== undefined && !isSameEmbedding(known.embedding, embedding);
  });
  if (isAnew) return { gone: before, added: after };
  const ids = new Set(after.map(({ image }) => image));
  return {
    gone: before.filter(({ image }) => !ids.has(image)),
    added: after.filter(({ image }) => !kept.has(image)),
  };
}

/** Whether two embeddings of a model, `[dim] float32`, are the same to the bit. */
export function isSameEmbedding(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}
