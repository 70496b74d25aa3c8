import { Worker } from "node:worker_threads";
import { ImageError, type ImageFault, ModelError } from "../../shared/errors.ts";
import type { GraphJson } from "../../shared/graph_json.ts";
import type { FaceFiles, ModelFiles } from "../../shared/model_files.ts";
import type { ImageJobs } from "./image_jobs.ts";
import type { FaceChoice } from "./look.ts";

/** What a thread is told: the model first, then one job after the other. `bytes` are the model's weights, or the image. */
export type ThreadMessage =
  & { bytes: SharedArrayBuffer }
  & ({ model: ThreadModel } | { job: keyof ImageJobs; choice: FaceChoice | undefined });

/** A model without its weights, with those of the networks that find faces. */
export interface ThreadModel extends Omit<ModelFiles, "weights" | "face"> {
  face: Record<keyof FaceFiles, { modelJson: GraphJson; bytes: SharedArrayBuffer }> | undefined;
}

/** The networks that find faces, each changed in one way. */
export function eachNetwork<A, B>(
  { detector, refiner, landmarks }: Record<keyof FaceFiles, A>,
  change: (network: A) => B,
): Record<keyof FaceFiles, B> {
  return { detector: change(detector), refiner: change(refiner), landmarks: change(landmarks) };
}

/** What a thread answers. */
export type ThreadReply = { ready: Ready } | { result: Awaited<ReturnType<ImageJobs[keyof ImageJobs]>> } | Failure;

/** Of a thread whose embedder has proved itself: see `OpenEmbedder`; the proof took so many milliseconds. */
export interface Ready {
  name: string;
  fallback: string | undefined;
  proof: number;
}

/** An error, which loses its class on the way. */
export interface Failure {
  failure: ImageFault | "model" | "unexpected";
  message: string;
  stack?: string | undefined;
}

/** A thread that does one job at a time, and is given up when one takes too long. */
export interface ImageThread {
  /**
   * Resolves when the embedder has proved itself.
   *
   * @throws {ModelError} if the model cannot be used
   * @throws {Error} if the thread broke off
   */
  ready: Promise<Ready>;
  /** They throw what the jobs do, ImageError if one took too long, and Error if the thread broke off. */
  jobs: ImageJobs;
  close(): void;
}

/** How a thread comes to do no more, unless it is closed. It is told before the job is answered. */
export interface ThreadEnds {
  crashed(): void;
  /** @param stopped resolves when the thread takes no time of a processor any more */
  stuck(stopped: Promise<void>): void;
}

/**
 * Deno's `terminate` resolves at once and stops no loop that runs (2.5 to 2.9): that such a thread has come to its end shows
 * only in its late answer.
 */
const STOPS_LOOPS = !("Deno" in globalThis);

/**
 * Starts a thread with a model of its own, while that is being read.
 *
 * @param url of the module, which is `image_thread.ts`
 * @param deadline for a job, milliseconds
 */
export function startImageThread(
  url: URL,
  model: Promise<ModelFiles>,
  deadline: number,
  ends: ThreadEnds,
): ImageThread {
  const worker = new Worker(url);
  let onReply: (reply: ThreadReply) => void = () => {}, onBreak: (error: Error) => void = () => {};

  // A thread that has nothing to do keeps no process alive.
  function call(message: ThreadMessage): Promise<ThreadReply> {
    worker.ref();
    worker.postMessage(message);
    return new Promise<ThreadReply>((resolve, reject) => [onReply, onBreak] = [resolve, reject])
      .finally(() => worker.unref());
  }
  function breakOff(error: Error): void {
    ends.crashed();
    onBreak(error);
  }
  function giveUp(): void {
    ends.stuck(
      STOPS_LOOPS ? worker.terminate().then(() => {}) : new Promise((resolve) => {
        onReply = () => (worker.terminate(), resolve());
      }),
    );
    onBreak(new ImageError("undecodable", "The image takes too long to be decoded; save it again and send that."));
  }
  async function work(job: keyof ImageJobs, image: Uint8Array, choice?: FaceChoice) {
    const timer = setTimeout(giveUp, deadline);
    try {
      const reply = await call({ job, choice, bytes: shared(image) });
      if ("result" in reply) return reply.result;
      throw errorOf(reply);
    } finally {
      clearTimeout(timer);
    }
  }
  worker.on("message", (reply: ThreadReply) => onReply(reply));
  worker.on("error", (error) => breakOff(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => breakOff(new Error(`A thread that embeds has ended with ${code}.`)));
  // Its modules load while the model is still being read.
  const ready = model.then(async ({ card, modelJson, weights, face: networks }) => {
    const face = networks && eachNetwork(networks, ({ modelJson, weights }) => ({ modelJson, bytes: shared(weights) }));
    const reply = await call({ model: { card, modelJson, face }, bytes: shared(weights) });
    if ("ready" in reply) return reply.ready;
    throw errorOf(reply);
  });
  return { ready, jobs: eachJob(work), close: () => void worker.terminate() };
}

/** A copy that threads share: Deno 2.9 takes a tenth of a second for each megabyte that it has to send. */
function shared(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

/** Jobs that are all done in one way. */
export function eachJob(
  work: (
    job: keyof ImageJobs,
    image: Uint8Array,
    choice?: FaceChoice,
  ) => Promise<Awaited<ReturnType<ImageJobs[keyof ImageJobs]>>>,
): ImageJobs {
  return {
    embed: (image, choice) => work("embed", image, choice),
    preview: (image, choice) => work("preview", image, choice),
    thumbnail: (image) => work("thumbnail", image),
  } as ImageJobs;
}

function errorOf(reply: ThreadReply): Error {
  if (!("failure" in reply)) return new Error("A thread that embeds has answered something else.");
  const { failure, message, stack } = reply;
  if (failure === "model") return new ModelError(message);
  if (failure !== "unexpected") return new ImageError(failure, message);
  return Object.assign(new Error(message), { stack });
}
