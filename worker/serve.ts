/**
 * The worker on a port of its own: `main.ts` without the advice of `deno run` to use `deno serve` instead.
 *
 * @module
 */
import { serve } from "./listen.ts";
import { startFromEnvironment } from "./start.ts";

serve(await startFromEnvironment());
