import type { Metrics } from "../metrics/metrics.ts";
import type { ImageJobs } from "./image_jobs.ts";
import type { Queue } from "./queue.ts";

/** The jobs of images, each in its turn; they also throw what `Queue.run` does. */
export type QueuedJobs = {
  [Job in keyof ImageJobs]: (image: Uint8Array, signal?: AbortSignal) => ReturnType<ImageJobs[Job]>;
};

/** Lets jobs wait in a queue, and notes how long embedding took. */
export function createQueuedJobs(jobs: ImageJobs, queue: Queue, noted: Metrics["noted"]): QueuedJobs {
  return {
    async embed(image, signal) {
      const done = await queue.run(() => jobs.embed(image), signal);
      noted(done.timing);
      return done;
    },
    preview: (image, signal) => queue.run(() => jobs.preview(image), signal),
    thumbnail: (image, signal) => queue.run(() => jobs.thumbnail(image), signal),
  };
}
