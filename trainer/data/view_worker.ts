/**
 * The thread that makes views of photos: first it is told which photos there are, then which of them a step needs.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { randomViews } from "./batches.ts";
import type { Image } from "../../shared/image/mod.ts";
import { imagesOf, type ViewReply, type ViewRequest, type ViewWork } from "./view_thread.ts";

let work: ViewWork, images: Image[];
let answered = Promise.resolve();

parentPort!.on("message", (message: ViewWork | ViewRequest) => {
  if ("step" in message) return void (answered = answered.then(() => answer(message)));
  work = message;
  images = imagesOf(message);
});

async function answer({ step, rows }: ViewRequest): Promise<void> {
  try {
    const values = await randomViews(images, step, rows, work);
    parentPort!.postMessage({ values } satisfies ViewReply, [values.buffer]);
  } catch (error) {
    parentPort!.postMessage({ error } satisfies ViewReply);
  }
}
