/** What every handler of the worker's Hono app finds in its context. */
export interface Env {
  Variables: {
    requestId: string;
  };
  /** What `Deno.serve` tells of the connection; empty where a request does not come from one. */
  Bindings: Partial<Pick<Deno.ServeHandlerInfo, "remoteAddr">>;
}
