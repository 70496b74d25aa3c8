import process from "node:process";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import type { Card } from "../shared/card.ts";
import type { ModelFiles } from "../shared/model_files.ts";
import { openAuditLog } from "./audit/audit_log.ts";
import { auditedGallery } from "./audit/audited_gallery.ts";
import { type Config, readConfig, VARIABLES } from "./config.ts";
import { openPool } from "./embedder/pool.ts";
import type { OpenImageService } from "./embedder/service.ts";
import { logAsJson } from "./middleware/request_log.ts";
import { type Host, startWorker, type Worker } from "./start.ts";

/** How long requests under way get after a signal to stop. Deno Deploy kills after 5 s. */
const DRAIN_MILLISECONDS = 3_000;

/**
 * The worker of this process's environment. Ends the process with one sentence if there can be none, now or when it has
 * loaded.
 *
 * @param threadUrl of the module of the threads that embed
 * @param hostOf what else the runtime lends
 */
export function startFromEnvironment(
  threadUrl: URL,
  hostOf: (config: Config) => Pick<Host, "readModel" | "openGallery">,
): Worker {
  try {
    const config = readConfig(Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]])));
    const host = hostOf(config);
    const openGallery = async (card: Card) => {
      const gallery = await host.openGallery(card);
      return config.audit === undefined ? gallery : auditedGallery(gallery, await openAuditLog(config.audit));
    };
    const openImages: Host["openImages"] = (model, readModel) =>
      openPool({ url: threadUrl, model, readModel, log: logAsJson }).catch((error) => openWithoutThreads(error, model));
    const worker = startWorker(config, { ...host, openGallery, openImages, log: logAsJson });
    worker.ready.catch(exitWith);
    return worker;
  } catch (error) {
    return exitWith(error);
  }
}

/** For a runtime that starts no threads; what is wrong with the model is wrong here too. */
async function openWithoutThreads(error: unknown, model: Promise<ModelFiles>): Promise<OpenImageService> {
  if (error instanceof TriptychError) throw error;
  const message = `Images are worked on without a deadline, for no thread could be started: ${messageOf(error)}`;
  logAsJson({ level: "warning", message });
  const { openServiceHere } = await import("./embedder/service.ts");
  return await openServiceHere(await model);
}

/** Ends the process with the sentence of an error: status 2 for wrong usage, else 1. */
export function exitWith(error: unknown): never {
  const unexpected = error instanceof TriptychError ? "" : "The worker cannot start, for a reason it does not know: ";
  console.error(`${unexpected}${messageOf(error)}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

/** What a server that listens says. */
export interface Address {
  hostname: string;
  port: number;
}

/** Says in one line where the worker is reached, once it is ready. */
export function announce({ config, ready }: Worker, { hostname, port }: Address): void {
  const place = hostname === "0.0.0.0" || hostname === "127.0.0.1" ? "localhost" : hostname;
  const note = config.keys === undefined ? " (answers this machine alone, for TRIPTYCH_KEYS is not set)" : "";
  ready.then(() => console.log(`Triptych is ready on http://${place}:${port}${note}`), () => {});
}

/** @returns one sentence for an error of a server that cannot listen, or the error itself */
export function listenError(error: unknown, port: number): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") {
    return new TriptychError(`Port ${port} is taken; stop what listens there, or set PORT to another.`);
  }
  if (code === "EACCES") {
    return new TriptychError(`Port ${port} may not be listened on by this user; set PORT to one above 1023.`);
  }
  return error;
}

/**
 * On SIGTERM or SIGINT: refuses new requests, answers those under way, and exits with status 0.
 *
 * @param stopListening resolves when all answers are sent
 */
export function stopOnSignal(worker: Worker, stopListening: () => Promise<void>): void {
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    // Servers break off the bodies that are still being received when they stop, so that comes after the drain.
    const stopped = worker.drain().then(stopListening);
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, DRAIN_MILLISECONDS))]);
    process.exit(0);
  };
  process.on("SIGINT", stop);
  // Windows knows no SIGTERM.
  if (process.platform !== "win32") process.on("SIGTERM", stop);
}
