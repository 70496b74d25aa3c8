/**
 * Checks that no line of an audit log was changed, removed or inserted.
 *
 *     deno task audit FILE
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../shared/errors.ts";
import { followChain } from "../worker/audit/chain.ts";

const EXIT = { done: 0, failed: 1, usage: 2 };
const USAGE = `Checks that no line of an audit log was changed, removed or inserted.

Usage: deno task audit FILE

It prints the digest of the last line: keep it elsewhere, for lines that are missing at the end leave a chain that holds.`;

/**
 * @param args of the command line
 * @returns the exit status: 0 it holds, 1 it does not, 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  try {
    const { help, file } = parse(args);
    if (help) return console.log(USAGE), EXIT.done;
    const { lines, head } = followChain(await Deno.readTextFile(file), file);
    console.log(`The audit log in ${file} holds: ${lines} entries, the last with the digest ${head}.`);
    return EXIT.done;
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function parse(args: string[]): { help: boolean; file: string } {
  try {
    const options = { help: { type: "boolean", short: "h", default: false } } as const;
    const { values: { help }, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (!help && positionals.length !== 1) throw new Error("Name one file.");
    return { help, file: positionals[0] ?? "" };
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See deno task audit --help.`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
