import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import type { Calibration } from "../shared/card.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { createApp } from "./app.ts";
import { type Config, readConfig, VARIABLES } from "./config.ts";
import { DEFAULT_FMR } from "./decision.ts";
import { selfTest } from "./embedder/self_test.ts";
import { createTfjsEmbedder } from "./embedder/tfjs.ts";
import { openGallery } from "./gallery/open.ts";
import type { Log } from "./middleware/request_log.ts";

/** A worker that can answer. */
export interface Worker {
  config: Config;
  fetch: (request: Request, info?: Partial<Deno.ServeHandlerInfo>) => Promise<Response>;
  /** Refuses new requests, waits until those under way are answered, and closes the gallery. */
  drain(): Promise<void>;
}

/**
 * Reads the model, proves it, opens the gallery, and makes the app.
 *
 * @throws {TriptychError} if one of them cannot be used
 */
export async function startWorker(config: Config, log: Log): Promise<Worker> {
  await config.keys?.();
  const files = await readModelFiles(config.model);
  const embedder = await createTfjsEmbedder(files);
  await selfTest(embedder, files.card);
  const gallery = await openGallery(config.gallery, files.card);
  const warning = calibrationWarning(files.card.calibration);
  if (warning !== null) log({ level: "warning", message: warning });
  let isDraining = false, underWay = 0;
  let idle = () => {};
  const app = createApp({ ...config, model: files, embedder, gallery, log, isDraining: () => isDraining });
  return {
    config,
    async fetch(request, info = {}) {
      underWay++;
      try {
        return await app.fetch(request, info);
      } finally {
        if (--underWay === 0) idle();
      }
    },
    async drain() {
      isDraining = true;
      if (underWay > 0) await new Promise<void>((resolve) => idle = resolve);
      await gallery.close();
    },
  };
}

/**
 * One sentence for a card whose photos were too few for the default false-match rate.
 *
 * @returns null if they were enough
 */
export function calibrationWarning({ fmr: [lowest] }: Calibration): string | null {
  if (lowest <= DEFAULT_FMR) return null;
  const supported = Math.ceil(lowest * 1000 - 1e-9) / 1000;
  return `The model's card supports no false-match rate below ${supported}, and decisions at a lower one, such as the default ${DEFAULT_FMR}, match nothing but the same image; evaluate the model on more photos of identities never trained on, or ask with fmr=${supported} or above.`;
}

/** The worker of this process's environment. Ends the process with one sentence if there can be none. */
export async function startFromEnvironment(): Promise<Worker> {
  try {
    const environment = Object.fromEntries(VARIABLES.map((name) => [name, Deno.env.get(name)]));
    return await startWorker(readConfig(environment), logAsJson);
  } catch (error) {
    return exitWith(error);
  }
}

/** Ends the process with the sentence of an error: status 2 for wrong usage, else 1. */
export function exitWith(error: unknown): never {
  const unexpected = error instanceof TriptychError ? "" : "The worker cannot start, for a reason it does not know: ";
  console.error(`${unexpected}${messageOf(error)}`);
  Deno.exit(error instanceof UsageError ? 2 : 1);
}

function logAsJson({ level, ...facts }: Parameters<Log>[0]): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, ...facts });
  if (level === "error") console.error(line);
  else console.log(line);
}
