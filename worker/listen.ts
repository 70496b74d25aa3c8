import { TriptychError } from "../shared/errors.ts";
import { exitWith, type Worker } from "./start.ts";

/** How long requests under way get after a signal to stop. Deno Deploy kills after 5 s. */
const DRAIN_MILLISECONDS = 3_000;

/** Listens until a signal says to stop. Ends the process with one sentence if it cannot. */
export function serve(worker: Worker): void {
  try {
    const server = listen(worker);
    stopOnSignal(worker, () => server.shutdown());
  } catch (error) {
    exitWith(error);
  }
}

/**
 * Listens on the configured port: on all addresses if there are keys, otherwise on this machine's own alone.
 *
 * @throws {TriptychError} if the port is taken
 */
export function listen(worker: Worker): Deno.HttpServer {
  const { port, keys } = worker.config;
  const hostname = keys === undefined ? "127.0.0.1" : "0.0.0.0";
  try {
    return Deno.serve({ port, hostname, onListen: (address) => announce(worker, address) }, worker.fetch);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new TriptychError(`Port ${port} is taken; stop what listens there, or set PORT to another.`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new TriptychError(`Port ${port} may not be listened on by this user; set PORT to one above 1023.`);
    }
    throw error;
  }
}

/** Says in one line where the worker is reached. */
export function announce({ config }: Worker, { hostname, port }: Deno.NetAddr): void {
  const place = hostname === "0.0.0.0" || hostname === "127.0.0.1" ? "localhost" : hostname;
  const note = config.keys === undefined ? " (answers this machine alone, for TRIPTYCH_KEYS is not set)" : "";
  console.log(`Triptych is ready on http://${place}:${port}${note}`);
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
    // Deno.HttpServer.shutdown() breaks off the bodies that are still being received, so it comes after the drain.
    const stopped = worker.drain().then(stopListening);
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, DRAIN_MILLISECONDS))]);
    Deno.exit(0);
  };
  // Windows knows no SIGTERM.
  for (const signal of Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, stop);
  }
}
