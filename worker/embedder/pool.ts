import { availableParallelism } from "node:os";
import { messageOf } from "../../shared/errors.ts";
import type { GraphJson } from "../../shared/graph_json.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import type { Log } from "../middleware/request_log.ts";
import type { ImageJobs } from "./image_jobs.ts";
import type { FaceChoice } from "./look.ts";
import { OverloadedError, turn } from "./queue.ts";
import type { OpenImageService } from "./service.ts";
import { eachJob, type ImageThread, type Ready, startImageThread } from "./thread.ts";

/** How long a job may take, milliseconds: the largest images need a tenth of it on slow machines. */
const DEADLINE = 10_000;
/** How long a job may wait for a thread that is being started, milliseconds. */
const PATIENCE = 10_000;
/** After how long it is tried again to start a thread, milliseconds. */
const RETRY_MILLISECONDS = 1_000;

/** What all threads together may take, and what one takes beside its weights, bytes. */
const MEMORY = 512 << 20, THREAD_MEMORY = 64 << 20;

/** What a pool is made of. */
export interface PoolOptions {
  /** The module of a thread: `image_thread.ts`. */
  url: URL;
  /** For the first thread, which starts at once. */
  model: Promise<ModelFiles>;
  /** Reads the same model again, for the others. */
  readModel(): Promise<ModelFiles>;
  /** How many threads; default {@link poolSize}. */
  size?: number | undefined;
  /** For a job, milliseconds; default 10 s. */
  deadline?: number | undefined;
  log: Log;
}

/** As many threads as there are processors, if their weights in float32 are not too much for the memory of small machines. */
export function poolSize({ weightsManifest }: GraphJson, processors = availableParallelism()): number {
  const shapes = weightsManifest.flatMap(({ weights }) => weights.map(({ shape }) => shape));
  const weights = shapes.reduce((sum, shape) => sum + shape.reduce((product, size) => product * size, 4), 0);
  return Math.max(1, Math.min(processors, Math.floor(MEMORY / (THREAD_MEMORY + weights))));
}

/**
 * The jobs of images done in threads, each with an embedder of its own. A thread that breaks off, or whose job misses the
 * deadline, is replaced. One of the latter kind may go on to take the time of a processor, so when there are as many of these as
 * the pool should have, it is not healthy and replaces them no more.
 *
 * It resolves when one thread is ready; the others follow.
 *
 * @throws {ModelError} if the model cannot be used
 * @throws {Error} if the runtime starts no threads
 */
export async function openPool(options: PoolOptions): Promise<OpenImageService> {
  const { url, model, readModel, deadline = DEADLINE, log } = options;
  const threads = new Set<ImageThread>(), idle: ImageThread[] = [], waiting = new Set<() => void>();
  let size = 1, stuck = 0, filling: Promise<void> | undefined, closed = false;

  async function start(files: Promise<ModelFiles>): Promise<Ready> {
    const thread = startImageThread(url, files, deadline, {
      crashed: () => replace(thread, "broken off"),
      stuck(stopped) {
        stuck++;
        stopped.then(() => (stuck--, fill()));
        replace(thread, "missed its deadline");
      },
    });
    try {
      const ready = await thread.ready;
      threads.add(thread);
      offer(thread);
      return ready;
    } catch (error) {
      thread.close();
      throw error;
    }
  }
  function offer(thread: ImageThread): void {
    idle.push(thread);
    const [enter] = waiting;
    enter?.();
  }
  function replace(thread: ImageThread, reason: string): void {
    if (closed || !threads.delete(thread)) return;
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    log({ level: "error", message: `A thread that embeds has ${reason}; another takes its place.` });
    fill();
  }
  function fill(): void {
    filling ??= startMissing().catch((error) => {
      log({ level: "error", message: `A thread that embeds cannot be started. ${messageOf(error)}` });
      if (!closed) setTimeout(fill, RETRY_MILLISECONDS);
    }).finally(() => filling = undefined);
  }
  async function startMissing(): Promise<void> {
    while (!closed && threads.size < size && threads.size + stuck < 2 * size) await start(readModel());
  }
  async function work(job: keyof ImageJobs, image: Uint8Array, choice?: FaceChoice) {
    while (idle.length === 0) {
      if (threads.size === 0 && filling === undefined) throw new OverloadedError();
      await turn(waiting, PATIENCE);
    }
    const thread = idle.shift()!;
    try {
      return await thread.jobs[job](image, choice);
    } finally {
      if (threads.has(thread)) offer(thread);
    }
  }

  const [{ name, fallback, proof }, { modelJson }] = await Promise.all([start(model), model]);
  size = options.size ?? poolSize(modelJson);
  const loaded = performance.now() - proof;
  fill();
  return {
    name: `${name}, ${size} ${size === 1 ? "thread" : "threads"}`,
    fallback,
    loaded,
    jobs: eachJob(work),
    width: size,
    // Nothing here computes.
    breathe: () => Promise.resolve(),
    isHealthy: () => stuck < size,
    async close() {
      closed = true;
      await filling;
      for (const thread of threads) thread.close();
    },
  };
}
