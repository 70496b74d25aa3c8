/**
 * A thread that does the jobs of images: first it is told of which model, then it gets images, one after the other.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { ImageError, messageOf, ModelError } from "../shared/errors.ts";
import type { ImageJobs } from "./embedder/image_jobs.ts";
import { openServiceHere } from "./embedder/service.ts";
import { eachNetwork, type Failure, type ThreadMessage, type ThreadReply } from "./embedder/thread.ts";

let jobs: ImageJobs;

parentPort!.on("message", async (message: ThreadMessage) => {
  parentPort!.postMessage(await replyTo(message).catch(failureOf) satisfies ThreadReply);
});

async function replyTo(message: ThreadMessage): Promise<ThreadReply> {
  const bytes = own(message.bytes);
  if ("job" in message) return { result: await jobs[message.job](bytes, message.choice) };
  const { face, ...model } = message.model;
  const faceFiles = face && eachNetwork(face, ({ modelJson, bytes }) => ({ modelJson, weights: own(bytes) }));
  const opened = await openServiceHere({ ...model, weights: bytes, ...faceFiles && { face: faceFiles } });
  jobs = opened.jobs;
  const { name, fallback, loaded } = opened;
  return { ready: { name, fallback, proof: performance.now() - loaded } };
}

/** A copy, for what is shared is not taken everywhere. */
function own(bytes: SharedArrayBuffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(bytes));
}

/** Errors lose their class on the way. */
function failureOf(error: unknown): Failure {
  const kind = error instanceof ImageError ? error.fault : error instanceof ModelError ? "model" : "unexpected";
  return { failure: kind, message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
}
