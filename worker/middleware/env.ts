/** Who sent a request, where the runtime tells. */
export interface Peer {
  /** The connection's other end, as `Deno.serve` has it; only `hostname`, an IP address, is looked at. */
  remoteAddr?: { hostname: string } | { transport: string } | undefined;
}

/** What every handler of the worker's Hono app finds in its context. */
export interface Env {
  Variables: {
    requestId: string;
  };
  Bindings: Peer;
}
