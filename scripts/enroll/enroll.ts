import { relative } from "node:path";
import { DataError, messageOf } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import { sha256 } from "../../shared/sha256.ts";
import { assertGoodEnough } from "../../worker/embedder/look.ts";
import { type ImageThread, startImageThread } from "../../worker/embedder/thread.ts";
import { isFaultOfFile } from "../../trainer/data/photos.ts";
import type { Sample } from "../../trainer/data/sample.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import { batches } from "./batches.ts";
import type { Destination } from "./destination.ts";

/** The module of the worker's threads. */
const THREAD = new URL("../../worker/image_thread.ts", import.meta.url);

/** The longest time that timers take, milliseconds: nobody waits for an answer here. */
const NO_DEADLINE = 2 ** 31 - 1;

/** How many photos are claimed at once for each thread, where machines share a job. */
const PHOTOS_CLAIMED = 8;

/** What to enrol, and where. */
export interface EnrollJob {
  /** Photos; the identity of each is its subject. */
  samples: readonly Sample[];
  /** Where the photos are: their paths from there are the same on each machine that does the same job. */
  root: string;
  model: ModelFiles;
  destination: Destination;
  /** How many threads embed. */
  concurrency: number;
  /** The share of files that may be unreadable. */
  maxUnreadable: number;
  reporter: Reporter;
  /** Ends the work early: what is embedded by then is still written. */
  signal: AbortSignal;
}

/** How many files were enrolled, were there before, and could not be read. */
export interface Counts {
  enrolled: number;
  known: number;
  unreadable: number;
}

/** What a subject has: the ids of its images and the keys that they were enrolled with. */
interface Has {
  images: Set<string>;
  keys: Set<string>;
}

interface Embedded {
  subject: string;
  key: string;
  embedding: Float32Array;
}

/**
 * Enrols photos. The key of each is the SHA-256 of its bytes: a subject is given the same photo once, however often this
 * runs.
 *
 * @throws {DataError} if more than the allowed share of files cannot be read; what was enrolled by then stays
 * @throws {GalleryError} if the gallery cannot be written
 */
export async function enroll(job: EnrollJob): Promise<Counts> {
  const { samples, destination, reporter } = job;
  const counts: Counts = { enrolled: 0, known: 0, unreadable: 0 };
  const hasOf = remembered((subject) => readHas(destination, subject));
  const writes = batches<Embedded>(destination.batch, async ({ subject, key, embedding }) => {
    const image = await destination.add(subject, key, embedding);
    const { images } = await hasOf(subject);
    if (image === null || images.has(image)) counts.known++;
    else {
      counts.enrolled++;
      images.add(image);
    }
  });
  const embedded = async ({ path, identity: subject }: Sample, thread: ImageThread): Promise<Embedded | undefined> => {
    const { keys } = await hasOf(subject);
    try {
      const bytes = await Deno.readFile(path);
      const key = await sha256(bytes);
      if (keys.has(key)) {
        counts.known++;
        return undefined;
      }
      await thread.ready;
      const { found: [{ embedding, face }] } = await thread.jobs.embed(bytes, "one");
      if (face !== undefined) assertGoodEnough(face, job.model.card);
      keys.add(key);
      return { subject, key, embedding };
    } catch (error) {
      if (!isFaultOfFile(error)) throw error;
      reporter.warn(`skipped ${path}: ${messageOf(error)}`);
      if (++counts.unreadable > job.maxUnreadable * samples.length) throw tooMany(counts.unreadable, samples.length);
      return undefined;
    }
  };

  const bar = reporter.progress("Enrolling", samples.length);
  const started = performance.now();
  let done = 0;
  try {
    await withThreads(job, (threads) =>
      inParts(job, async (part) => {
        await shareOut(part, threads, job.signal, async (sample, thread) => {
          const result = await embedded(sample, thread);
          if (result !== undefined) await writes.add(result);
          bar.update(++done, `${(1000 * done / (performance.now() - started)).toFixed(1)} a second`);
        });
        await writes.flush();
      }));
  } finally {
    bar.done();
  }
  return counts;
}

/** Does the whole job at once, or the parts of it that other machines leave to this one. */
async function inParts(
  { samples, root, destination, concurrency, signal }: EnrollJob,
  doPart: (part: readonly Sample[]) => Promise<void>,
): Promise<void> {
  if (destination.share === undefined) return await doPart(samples);
  const items = samples.map(({ path, identity }) => `${identity} ${relative(root, path)}`);
  const size = PHOTOS_CLAIMED * concurrency;
  await destination.share({ items, size, signal }, (numbers) => doPart(numbers.map((number) => samples[number])));
}

async function withThreads(
  { samples, model, concurrency }: EnrollJob,
  work: (threads: ImageThread[]) => Promise<void>,
): Promise<void> {
  const start = () => startImageThread(THREAD, Promise.resolve(model), NO_DEADLINE, { crashed() {}, stuck() {} });
  const threads = Array.from({ length: Math.min(concurrency, samples.length) }, start);
  try {
    // What is wrong with the model is told to the first image.
    for (const { ready } of threads) ready.catch(() => {});
    await work(threads);
  } finally {
    threads.forEach((thread) => thread.close());
  }
}

/** Gives each thread one sample after the other, until there are none left, one fails, or the signal is given. */
async function shareOut(
  samples: readonly Sample[],
  threads: readonly ImageThread[],
  signal: AbortSignal,
  work: (sample: Sample, thread: ImageThread) => Promise<void>,
): Promise<void> {
  const queue = samples.values();
  let failed = false;
  try {
    await Promise.all(threads.map(async (thread) => {
      for (const sample of queue) {
        if (failed || signal.aborted) return;
        await work(sample, thread);
      }
    }));
  } finally {
    failed = true;
  }
}

async function readHas(destination: Destination, subject: string): Promise<Has> {
  const enrolled = await destination.images(subject);
  return {
    images: new Set(enrolled.map(({ image }) => image)),
    keys: new Set(enrolled.flatMap(({ key }) => key ?? [])),
  };
}

function tooMany(unreadable: number, total: number): DataError {
  return new DataError(
    `More than the allowed share of files cannot be read, ${unreadable} of ${total} so far, and the rest is not enrolled; mend or remove those listed above, or allow more with --max-unreadable, and run the command again.`,
  );
}

/** Does a piece of work once for each key. */
function remembered<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const results = new Map<string, Promise<T>>();
  return (key) => {
    const result = results.get(key) ?? work(key);
    results.set(key, result);
    return result;
  };
}
