/**
 * The worker on a port of its own: `main.ts` without the advice of `deno run` to use `deno serve` instead.
 *
 * @module
 */
import { serve } from "./listen.ts";
import { exitWith, startFromEnvironment } from "./start.ts";
import { asksForHelp, USAGE } from "./usage.ts";

if (wantsHelp()) console.log(USAGE);
else serve(await startFromEnvironment());

function wantsHelp(): boolean {
  try {
    return asksForHelp(Deno.args);
  } catch (error) {
    return exitWith(error);
  }
}
