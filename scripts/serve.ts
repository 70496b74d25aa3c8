/**
 * Starts the worker in a process that may do what its settings need, and nothing else. It ends as that process ends.
 *
 *     deno task serve
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { messageOf, UsageError } from "../shared/errors.ts";
import { VARIABLES } from "../worker/config.ts";
import { asksForHelp, USAGE } from "../worker/usage.ts";
import { workerFlags } from "./worker_flags.ts";

/** What an operator or a platform sends to end a worker. Windows knows no SIGTERM. */
const SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];

async function main(args: string[]): Promise<number> {
  try {
    if (asksForHelp(args)) return console.log(USAGE), 0;
    const flags = workerFlags(Object.fromEntries(VARIABLES.map((name) => [name, Deno.env.get(name)])));
    const program = fileURLToPath(new URL("../worker/serve.ts", import.meta.url));
    const worker = new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", ...flags, program] }).spawn();
    for (const signal of SIGNALS) Deno.addSignalListener(signal, () => pass(worker, signal));
    return (await worker.status).code;
  } catch (error) {
    console.error(messageOf(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** A terminal sends Ctrl-C to the worker as well, which may have ended already. */
function pass(worker: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    worker.kill(signal);
  } catch {
    // It has ended, and its status is on its way.
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
