import { Worker } from "node:worker_threads";
import { ImageError, type ImageFault, messageOf, ModelError } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";

/** What a thread is told: the model first, then one image after the other. */
export type EmbedMessage = { model: ModelFiles } | { image: Uint8Array };

/** What a thread answers to an image: errors lose their class on the way. */
export type EmbedReply = { embedding: Float32Array } | { fault: ImageFault | undefined; message: string };

/** A thread that decodes and embeds images as the worker does, one at a time. */
export interface EmbedThread {
  /**
   * @param image the bytes of a file, which the thread takes away
   * @returns `[dim] float32`, unit length
   * @throws {ImageError} if it is no usable image
   * @throws {ModelError} if the model cannot be used
   */
  embed(image: Uint8Array<ArrayBuffer>): Promise<Float32Array>;
  close(): void;
}

/** Starts a thread with a model of its own, for tfjs's WebAssembly backend computes on one thread. */
export function startEmbedThread(model: ModelFiles): EmbedThread {
  const worker = new Worker(new URL("./embed_worker.ts", import.meta.url));
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  let answered: (reply: EmbedReply) => void = () => {};
  worker.on("message", (reply: EmbedReply) => answered(reply));
  worker.on("error", (error) => ended.reject(new Error(`A thread that embeds has ended: ${messageOf(error)}`)));
  worker.postMessage({ model } satisfies EmbedMessage);
  return {
    async embed(image) {
      const answer = new Promise<EmbedReply>((resolve) => answered = resolve);
      worker.postMessage({ image } satisfies EmbedMessage, [image.buffer]);
      const reply = await Promise.race([answer, ended.promise]);
      if ("embedding" in reply) return reply.embedding;
      const { fault, message } = reply;
      throw fault === undefined ? new ModelError(message) : new ImageError(fault, message);
    },
    close: () => void worker.terminate(),
  };
}
