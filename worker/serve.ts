/**
 * The worker on a port of its own: `main.ts` without the advice of `deno run` to use `deno serve` instead.
 *
 * @module
 */
import { serve, startOnDeno } from "./listen.ts";
import { exitWith } from "./process.ts";
import { asksForHelp, USAGE } from "./usage.ts";

if (wantsHelp()) console.log(USAGE);
else serve(startOnDeno());

function wantsHelp(): boolean {
  try {
    return asksForHelp(Deno.args);
  } catch (error) {
    return exitWith(error);
  }
}
