/**
 * The worker on a port of its own: `main.ts` without the advice of `deno run` to use `deno serve` instead. `deno task serve`
 * starts it with the permissions that its settings need.
 *
 * @module
 */
import { serve, startOnDeno } from "./listen.ts";

serve(startOnDeno());
