/**
 * Builds the worker and its model into a folder that a runtime takes as it is, and hands that for Deno Deploy over.
 *
 *     deno task deploy [--runtime NAME] [--build-only] [options] [-- arguments of deno deploy]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../shared/errors.ts";
import { build, type RuntimeName, RUNTIMES } from "./deploy/build.ts";

const EXIT = { done: 0, failed: 1, usage: 2 };

const OPTIONS = {
  runtime: { type: "string", default: "deno" },
  model: { type: "string", default: "samples/model" },
  out: { type: "string", default: "out/deploy" },
  "build-only": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

const USAGE = `Builds the worker and its model into a folder, and calls \`deno deploy\` on it.

Usage: deno task deploy [options] [-- arguments of deno deploy, such as --org NAME --app NAME --prod]

  --runtime NAME   deno (Deno Deploy and Deno from 2.5), node (Node from 20) or workerd (Cloudflare); for these
                   two the folder is all (default ${OPTIONS.runtime.default})
  --model DIR      the model directory (default ${OPTIONS.model.default})
  --out DIR        the folder, which is written anew (default ${OPTIONS.out.default})
  --build-only     does not call \`deno deploy\``;

/**
 * @param args of the command line
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage
 */
export async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parse(args);
    if (values.help) return console.log(USAGE), EXIT.done;
    const { runtime, model, out } = values;
    if (!Object.hasOwn(RUNTIMES, runtime)) {
      throw new UsageError(`There is no runtime ${runtime}; there are ${Object.keys(RUNTIMES).join(", ")}.`);
    }
    const { bytes, start } = await build(runtime as RuntimeName, model, out);
    console.log(`Built ${out}: ${(bytes / 1e6).toFixed(1)} MB with the model. To start it here: ${start}`);
    if (runtime !== "deno" || values["build-only"]) return EXIT.done;
    return await handOver(out, positionals);
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const end = args.indexOf("--");
    if (positionals.length > (end < 0 ? 0 : args.length - end - 1)) {
      throw new Error(`Unexpected argument '${positionals[0]}'; those of deno deploy stand after --.`);
    }
    return { values, positionals };
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

async function handOver(folder: string, args: string[]): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: ["deploy", ...args], cwd: folder });
  const { success } = await command.spawn().status;
  if (success) return EXIT.done;
  console.error(
    `error: deno deploy did not take ${folder}; it needs the network, an account of console.deno.com (it asks for it in a browser, or takes DENO_DEPLOY_TOKEN) and an app (\`deno deploy create\` in that folder makes one): see above what it lacked, and call it again.`,
  );
  return EXIT.failed;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
