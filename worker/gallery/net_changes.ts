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

/** The images of a record that another one does not have. */
export function imagesBeyond(record: SubjectRecord | undefined, other: SubjectRecord | undefined): ImageRecord[] {
  const kept = new Set(other?.images.map(({ image }) => image));
  return record?.images.filter(({ image }) => !kept.has(image)) ?? [];
}
