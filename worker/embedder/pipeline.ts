import type { Metrics } from "../metrics/metrics.ts";
import type { ImageJobs } from "./image_jobs.ts";
import type { FaceChoice } from "./look.ts";
import type { Queue } from "./queue.ts";

/** The jobs of images, each in its turn; they also throw what `Queue.run` does. */
export type QueuedJobs = {
  [Job in keyof ImageJobs]: (image: Uint8Array, signal: AbortSignal, choice?: FaceChoice) => ReturnType<ImageJobs[Job]>;
};

/** Lets jobs wait in a queue, and notes how long embedding took. */
export function createQueuedJobs(jobs: ImageJobs, queue: Queue, noted: Metrics["noted"]): QueuedJobs {
  return {
    async embed(image, signal, choice) {
      const done = await queue.run(() => jobs.embed(image, choice), signal);
      noted(done.timing);
      return done;
    },
    preview: (image, signal, choice) => queue.run(() => jobs.preview(image, choice), signal),
    thumbnail: (image, signal) => queue.run(() => jobs.thumbnail(image), signal),
  };
}
