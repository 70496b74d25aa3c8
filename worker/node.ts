/**
 * The worker's entry for Node, as `deno task deploy --runtime node` bundles it.
 *
 * @module
 */
import { createAdaptorServer } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import { UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { readFile } from "../shared/read_file.ts";
import { takeWasmFrom } from "../shared/wasm_modules.ts";
import { emptyGallery, emptySnapshot } from "./gallery/memory.ts";
import { openServer } from "./gallery/open.ts";
import { openSqliteGallery } from "./gallery/sqlite.ts";
import { announce, exitWith, hostnameFor, listenError, startFromEnvironment, stopOnSignal } from "./process.ts";

takeWasmFrom((name) => readFile(new URL(`../wasm/${name}.wasm`, import.meta.url)));
const worker = startFromEnvironment(({ model, gallery }) => {
  if (gallery.kind === "snapshot") {
    throw new UsageError(
      "TRIPTYCH_GALLERY names a snapshot file, and the locks that keep it to one worker are Deno's; run the worker on Deno, or give sqlite:PATH, postgres://... or memory: here.",
    );
  }
  return {
    readModel: () => readModelFiles(model),
    openGallery: (card) => {
      if (gallery.kind === "memory") return Promise.resolve(emptyGallery(card));
      if (gallery.kind === "postgres") return openServer(gallery, emptySnapshot(card));
      return openSqliteGallery(gallery.path, emptySnapshot(card));
    },
  };
});
const { port } = worker.config;
const hostname = hostnameFor(worker.config);
const server = createAdaptorServer({
  fetch: (request, { incoming }) =>
    worker.fetch(request, { remoteAddr: { hostname: incoming.socket.remoteAddress ?? "" } }),
});
server.on("error", (error) => exitWith(listenError(error, port)));
server.listen(port, hostname, () => announce(worker, { hostname, port: (server.address() as AddressInfo).port }));
stopOnSignal(worker, () => new Promise((resolve) => server.close(() => resolve())));
