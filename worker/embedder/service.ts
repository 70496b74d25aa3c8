import type { ModelFiles } from "../../shared/model_files.ts";
import { createTfjsLazily } from "./lazy_tfjs.ts";
import { createImageJobs, type ImageJobs } from "./image_jobs.ts";
import { type OpenEmbedder, openEmbedder } from "./open.ts";

/** Where the jobs of images are done: in this thread, or in others. */
export interface ImageService {
  jobs: ImageJobs;
  /** How many are done at a time. */
  width: number;
  /** What happens between two jobs; default: whatever else waits gets a turn. */
  breathe?: (() => Promise<void>) | undefined;
}

/** A service whose embedder has proved itself. */
export interface OpenImageService extends ImageService, Omit<OpenEmbedder, "embedder" | "look"> {
  /** Whether it can go on for good: false when the process should be started anew. */
  isHealthy(): boolean;
  close(): Promise<void>;
}

/**
 * The jobs of images done in this thread, for runtimes that have no others.
 *
 * @param files their weights are taken away
 * @param breathe see {@link ImageService}
 * @throws {ModelError} if the model cannot be used
 */
export async function openServiceHere(files: ModelFiles, breathe?: () => Promise<void>): Promise<OpenImageService> {
  const { embedder, look, ...open } = await openEmbedder(files, createTfjsLazily);
  const jobs = createImageJobs(embedder, look, files.card.input);
  return { ...open, jobs, width: 1, breathe, isHealthy: () => true, close: () => Promise.resolve() };
}
