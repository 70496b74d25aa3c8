import { Worker } from "node:worker_threads";
import type { Image } from "../../shared/image/mod.ts";
import { messageOf } from "../../shared/errors.ts";
import type { ViewSettings } from "./batches.ts";

/** What a thread is told first: each memory once, for a message takes long over many views of one. */
export interface ViewWork extends ViewSettings {
  memories: readonly ArrayBufferLike[];
  /** All photos to train on: which memory they lie in, and where. */
  places: readonly { memory: number; offset: number; width: number; height: number }[];
}

/** Where photos lie. */
function placesOf(images: readonly Image[]): Pick<ViewWork, "memories" | "places"> {
  const memories = [...new Set(images.map(({ data }) => data.buffer))];
  const numbers = new Map(memories.map((memory, number) => [memory, number]));
  const places = images.map(({ width, height, data }) => {
    return { memory: numbers.get(data.buffer)!, offset: data.byteOffset, width, height };
  });
  return { memories, places };
}

/** The photos of a message. */
export function imagesOf({ memories, places }: ViewWork): Image[] {
  return places.map(({ memory, offset, width, height }) => ({
    width,
    height,
    data: new Uint8ClampedArray(memories[memory], offset, 4 * width * height),
  }));
}

/** What a thread is asked for. */
export interface ViewRequest {
  step: number;
  rows: readonly number[];
}

/** What it answers, in the order of the requests. */
export type ViewReply = { values: Float32Array<ArrayBuffer> } | { error: unknown };

/** A thread that makes the views of batches. */
export interface ViewThread {
  /** As the function of the same name of batches; rejects with the error that it met. */
  randomViews(step: number, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  /** Ends the thread; requests that wait are rejected. */
  close(): void;
}

/**
 * Starts a thread that makes views. It is one of Node's: tfjs's threaded build puts these in the place of the web's `Worker`.
 *
 * @param images their pixels lie in shared memory; those that do not are copied
 */
export function startViewThread(images: readonly Image[], settings: ViewSettings): ViewThread {
  const worker = new Worker(new URL("./view_worker.ts", import.meta.url));
  const waiting: PromiseWithResolvers<Float32Array<ArrayBuffer>>[] = [];
  let failure: Error | undefined;
  const fail = (reason: Error) => {
    failure ??= reason;
    waiting.splice(0).forEach((request) => request.reject(failure));
  };
  worker.on("message", (reply: ViewReply) => {
    const request = waiting.shift();
    if ("error" in reply) request?.reject(reply.error);
    else request?.resolve(reply.values);
  });
  worker.on("error", (error) => fail(new Error(`A thread that makes batches has ended: ${messageOf(error)}`)));
  worker.postMessage({ ...placesOf(images), ...settings } satisfies ViewWork);
  return {
    randomViews(step, rows) {
      if (failure) return Promise.reject(failure);
      const request = Promise.withResolvers<Float32Array<ArrayBuffer>>();
      waiting.push(request);
      worker.postMessage({ step, rows } satisfies ViewRequest);
      return request.promise;
    },
    close() {
      worker.terminate();
      fail(new Error("The batches have been closed."));
    },
  };
}
