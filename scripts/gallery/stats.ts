import type { ImageRecord, SubjectRecord } from "../../shared/snapshot.ts";
import { thresholdFor } from "../../worker/decision.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Opened } from "./location.ts";

/** For how many images of a collection, evenly spread, the nearest of another subject is sought. */
const SAMPLE = 1000;
/** How many suspicious pairs of a collection are listed. */
const LISTED = 20;
/** The width of a bar of a histogram, and of its bins of distances. */
const BAR = 40;
const BIN = 0.1;

/** An image and the nearest of another subject. */
interface Pair {
  subject: string;
  other: string;
  distance: number;
}

/**
 * What an operator wants to know of a gallery, as text: how much it holds, since when, how many images a subject has, how far
 * subjects are apart, and which are so near each other that they may be the same.
 */
export async function statsOf({ gallery, card, name, files }: Opened, reporter: Reporter): Promise<string> {
  const collections = await gallery.snapshot();
  const sizes = await Promise.all(files.map((path) => Deno.stat(path).then(({ size }) => size, () => 0)));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const threshold = thresholdFor(card, {});
  const sections = [
    [
      `${name}${bytes > 0 ? `: ${(bytes / 1e6).toFixed(1)} MB on this disk` : ""}`,
      `model ${card.fingerprint}, ${card.embedding.dimensions} dimensions`,
    ],
  ];
  for (const { collection, subjects } of collections) {
    const images = subjects.flatMap((subject) => subject.images);
    const search = async (record: SubjectRecord, { embedding }: ImageRecord): Promise<Pair | null> => {
      const { nearest: [found] } = await gallery.search(collection, embedding, { k: 1, exclude: record.subject });
      return found === undefined ? null : { subject: record.subject, other: found.subject, distance: found.distance };
    };
    const pairs = await nearestPairs(collection, subjects, search, reporter);
    sections.push([
      `collection ${collection}: ${subjects.length} subjects, ${images.length} images`,
      ...times(subjects, images),
      ...images.length === 0
        ? []
        : ["images a subject:", ...histogram(subjects.map(imageCount), (count) => `${count}`)],
      ...pairs.length === 0 ? [] : [
        `distance to the nearest image of another subject, of ${pairs.length} images:`,
        ...histogram(pairs.map(({ distance }) => Math.floor(distance / BIN)), (bin) => `${(bin * BIN).toFixed(1)}`),
        ...suspicious(pairs, threshold.distance),
      ],
    ]);
  }
  return sections.map((lines) => lines.join("\n  ")).join("\n\n");
}

function times(subjects: SubjectRecord[], images: ImageRecord[]): string[] {
  const created = images.map(({ createdAt }) => createdAt).sort();
  const ends = subjects.flatMap(({ expiresAt }) => expiresAt ?? []).sort();
  return [
    ...created.length === 0 ? [] : [`enrolled from ${created[0]} to ${created.at(-1)}`],
    ...ends.length === 0 ? [] : [`${ends.length} subjects expire, the next at ${ends[0]}`],
  ];
}

async function nearestPairs(
  collection: string,
  subjects: SubjectRecord[],
  search: (record: SubjectRecord, image: ImageRecord) => Promise<Pair | null>,
  reporter: Reporter,
): Promise<Pair[]> {
  const all = subjects.flatMap((record) => record.images.map((image) => ({ record, image })));
  const stride = Math.ceil(all.length / SAMPLE);
  const sample = all.filter((_, i) => i % stride === 0);
  if (sample.length === 0) return [];
  const pairs: Pair[] = [];
  const bar = reporter.progress(`Comparing ${collection}`, sample.length);
  for (const [i, { record, image }] of sample.entries()) {
    const pair = await search(record, image);
    if (pair !== null) pairs.push(pair);
    bar.update(i + 1);
  }
  bar.done();
  return pairs;
}

/** Pairs that the worker would call the same at its default rate: each once, the nearest first. */
function suspicious(pairs: Pair[], within: number): string[] {
  const near = new Map<string, Pair>();
  for (const pair of pairs.toSorted((a, b) => a.distance - b.distance)) {
    const key = JSON.stringify([pair.subject, pair.other].sort());
    if (pair.distance <= within && !near.has(key)) near.set(key, pair);
  }
  if (near.size === 0) return [`no two subjects are within ${within.toFixed(3)}, where images are called the same`];
  const rows = [...near.values()].slice(0, LISTED).map(({ subject, other, distance }) => [
    `  ${distance.toFixed(3)}`,
    subject,
    other,
  ]);
  const more = near.size > LISTED ? [`  and ${near.size - LISTED} more`] : [];
  return [
    `within ${within.toFixed(3)}, where images are called the same, though of two subjects:`,
    ...alignColumns(rows).split("\n").map((line) => line.trimEnd()),
    ...more,
  ];
}

/** One line for each value that occurs, ascending: how often it does. */
function histogram(values: number[], labelOf: (value: number) => string): string[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].sort(([a], [b]) => a - b).map(([value, count]) =>
    `${labelOf(value).padStart(6)}  ${"█".repeat(Math.ceil(BAR * count / most))} ${count}`
  );
}

function imageCount({ images }: SubjectRecord): number {
  return images.length;
}
