/**
 * The thread that embeds images: first it is told of which model, then it gets images, one after the other.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { ImageError, messageOf } from "../../shared/errors.ts";
import type { ModelFiles } from "../../shared/model_files.ts";
import { createTfjsLazily } from "../../worker/embedder/lazy_tfjs.ts";
import { assertGoodEnough, chosen } from "../../worker/embedder/look.ts";
import { openEmbedder } from "../../worker/embedder/open.ts";
import type { EmbedMessage, EmbedReply } from "./embed_thread.ts";

type EmbedImage = (image: Uint8Array) => Promise<Float32Array>;

let embedImage: Promise<EmbedImage>;

parentPort!.on("message", async (message: EmbedMessage) => {
  if ("image" in message) return parentPort!.postMessage(await replyTo(message.image));
  embedImage = load(message.model);
  // What is wrong with the model is the answer to an image.
  embedImage.catch(() => {});
});

/** The way of an image in the worker. */
async function load(model: ModelFiles): Promise<EmbedImage> {
  const { embedder, look } = await openEmbedder(model, createTfjsLazily);
  return async (image) => {
    const [{ pixels, face }] = chosen(await look(image), "one");
    if (face !== undefined) assertGoodEnough(face, model.card);
    return await embedder.embed(pixels);
  };
}

async function replyTo(image: Uint8Array): Promise<EmbedReply> {
  try {
    return { embedding: await (await embedImage)(image) };
  } catch (error) {
    return { fault: error instanceof ImageError ? error.fault : undefined, message: messageOf(error) };
  }
}
