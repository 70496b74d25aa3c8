import { hostnameFor } from "./config.ts";
import { openGallery } from "./gallery/open.ts";
import { logAsJson } from "./middleware/request_log.ts";
import { announce, exitWith, listenError, startFromEnvironment, stopOnSignal } from "./process.ts";
import { readServedModel } from "./served_model.ts";
import type { Worker } from "./start.ts";

/** The worker of this process's environment, on Deno. Ends the process with one sentence if there can be none. */
export function startOnDeno(): Worker {
  return startFromEnvironment((config) => ({
    readModel: () => readServedModel(config),
    openGallery: (card) => openGallery(config.gallery, card, logAsJson),
  }));
}

/** Listens on the configured port until a signal says to stop. Ends the process with one sentence if it cannot. */
export function serve(worker: Worker): void {
  const { config, fetch } = worker;
  const onListen = (address: Deno.NetAddr) => announce(worker, address);
  try {
    const server = Deno.serve({ port: config.port, hostname: hostnameFor(config), onListen }, fetch);
    stopOnSignal(worker, () => server.shutdown());
  } catch (error) {
    exitWith(listenError(error, config.port));
  }
}
