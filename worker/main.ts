/**
 * The worker's entry, for `deno run`, `deno serve` and Deno Deploy alike.
 *
 * @module
 */
import { serve, startOnDeno } from "./listen.ts";
import { announce, stopOnSignal } from "./process.ts";

/** How long the last answers get on their way out, where the server is not ours and does not tell. */
const FLUSH_MILLISECONDS = 100;

const worker = startOnDeno();
let isServed = worker.config.isHosted;

export default {
  fetch: worker.fetch,
  onListen(address: Deno.NetAddr) {
    isServed = true;
    announce(worker, address);
    stopOnSignal(worker, flush);
  },
};

// `deno serve` calls onListen as soon as this module is evaluated, before any timer; under `deno run` nobody does.
if (import.meta.main) setTimeout(() => isServed || serve(worker), 0);

function flush(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, FLUSH_MILLISECONDS));
}
