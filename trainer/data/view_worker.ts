/**
 * The thread that makes views of photos: first it is told which photos there are, then which of them a step needs.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { randomViews } from "./batches.ts";
import type { ViewReply, ViewRequest, ViewWork } from "./view_thread.ts";

let work: ViewWork | undefined;

parentPort!.on("message", (message: ViewWork | ViewRequest) => {
  if ("images" in message) work = message;
  else answer(message);
});

function answer({ step, rows }: ViewRequest): void {
  try {
    const values = randomViews(work!.images, step, rows, work!);
    parentPort!.postMessage({ values } satisfies ViewReply, [values.buffer]);
  } catch (error) {
    parentPort!.postMessage({ error } satisfies ViewReply);
  }
}
