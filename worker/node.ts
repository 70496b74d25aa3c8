/**
 * The worker's entry for Node, as `deno task deploy --runtime node` bundles it.
 *
 * @module
 */
import { createAdaptorServer } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import { hostnameFor } from "./config.ts";
import "./node_wasm.ts";
import { openGallery } from "./gallery/open.ts";
import { logAsJson } from "./middleware/request_log.ts";
import { announce, exitWith, listenError, startFromEnvironment, stopOnSignal } from "./process.ts";
import { readServedModel } from "./served_model.ts";

const worker = startFromEnvironment(new URL("image_thread.js", import.meta.url), (config) => ({
  readModel: () => readServedModel(config),
  openGallery: (card) => openGallery(config.gallery, card, logAsJson),
}));
const { port } = worker.config;
const hostname = hostnameFor(worker.config);
const server = createAdaptorServer({
  fetch: (request, { incoming }) =>
    worker.fetch(request, { remoteAddr: { hostname: incoming.socket.remoteAddress ?? "" } }),
});
server.on("error", (error) => exitWith(listenError(error, port)));
server.listen(port, hostname, () => announce(worker, { hostname, port: (server.address() as AddressInfo).port }));
stopOnSignal(worker, () => new Promise((resolve) => server.close(() => resolve())));
