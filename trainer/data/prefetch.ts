import { type Batch, type Batches, labelsOf, randomViews, toBatch, type ViewSettings } from "./batches.ts";
import type { Photo } from "./photos.ts";
import type { Sampler } from "./sampler.ts";
import { sharePhotos } from "./shared_photos.ts";
import { startViewThread } from "./view_thread.ts";

/** What batches to make, and how. */
export interface PrefetchOptions extends ViewSettings {
  /** Photos to train on; those of {@link sharePhotos} are not copied. */
  photos: readonly Photo[];
  /** Called for no step at or past the `until` of {@link Batches}. */
  sampler: Sampler;
  /** Threads that make batches while the engine computes; with 0 they are made when they are asked for. */
  threads: number;
}

/** More than these have nothing to do: one makes a batch of 48 views of 160 pixels in 0.06 s. */
const MAX_THREADS = 4;
/** Processors that an engine keeps busy, at most. */
const ENGINE_THREADS = 4;

/**
 * How many threads should make batches on this machine: one, more only where the engine leaves processors idle, and none
 * beside the engine's own where there is just one processor.
 */
export function defaultThreads(processors = navigator.hardwareConcurrency): number {
  return processors < 2 ? 0 : Math.min(MAX_THREADS, Math.max(1, processors - ENGINE_THREADS));
}

/**
 * The batches of {@link trainingBatches}, to the bit, made by threads of their own while the engine computes. A thread makes
 * a whole batch, and there is always one more asked for than there are threads, so that none of them waits.
 *
 * `at` rejects with the error that making the batch met, be it the sampler's or the thread's.
 */
export function prefetchBatches({ photos, sampler, threads, ...settings }: PrefetchOptions): Batches {
  const labels = labelsOf(photos);
  const images = (threads === 0 ? photos : sharePhotos(photos)).map((photo) => photo.image);
  const workers = Array.from({ length: threads }, () => startViewThread(images, settings));
  const ahead = threads === 0 ? 0 : threads + 1;
  const begun = new Map<number, Promise<Batch>>();
  let asked = 0, waited = 0, closed = false;

  async function make(step: number): Promise<Batch> {
    const rows = sampler(step);
    const values = threads === 0
      ? await randomViews(images, step, rows, settings)
      : await workers[asked++ % threads].randomViews(step, rows);
    return toBatch(rows, values, labels, settings.input);
  }
  function begin(step: number): void {
    if (begun.has(step)) return;
    const batch = make(step);
    // Whoever asks for the step is told; if nobody does, it does not matter.
    batch.catch(() => {});
    begun.set(step, batch);
  }

  return {
    async at(step, until) {
      if (closed) throw new Error("The batches have been closed.");
      const from = performance.now();
      for (const other of begun.keys()) if (other < step || other >= until) begun.delete(other);
      for (let next = step; next <= step + ahead && (next === step || next < until); next++) begin(next);
      try {
        return await begun.get(step)!;
      } finally {
        begun.delete(step);
        waited += performance.now() - from;
      }
    },
    waitedMs: () => waited,
    close() {
      closed = true;
      begun.clear();
      workers.forEach((worker) => worker.close());
    },
  };
}
