import { type Outcome, outcomeOf } from "./command.ts";

/** Ends a command as Ctrl-C does as soon as a condition holds, if it has not ended by itself. */
export async function interruptWhen(child: Deno.ChildProcess, condition: () => Promise<boolean>): Promise<Outcome> {
  let ended = false;
  const outcome = outcomeOf(child).finally(() => ended = true);
  while (!ended && !await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  if (!ended) child.kill("SIGINT");
  return await outcome;
}
