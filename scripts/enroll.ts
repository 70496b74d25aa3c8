/**
 * Enrols a folder of photos, one folder per subject, in a gallery.
 *
 *     deno task enroll --model DIR --gallery URL --data DIR
 *
 * @module
 */
import { parseArgs } from "node:util";
import type { z } from "zod";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { terminalReporter } from "../trainer/report/progress.ts";
import { DEFAULT_COLLECTION } from "../worker/gallery/gallery.ts";
import { Name } from "../worker/routes/name.ts";
import { openDestination } from "./enroll/destination.ts";
import { type Counts, enroll } from "./enroll/enroll.ts";
import { untilInterrupted } from "./enroll/interrupt.ts";
import { EmbedOptions, Given, listPhotos } from "./enroll/options.ts";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 };

const USAGE =
  `Embeds photos on this machine and enrols them in a gallery. A photo that its subject has is not enrolled again,
so that the same command goes on where it was stopped, and takes up photos that are new. Several machines that run it at the
same time on one gallery in Postgres share the photos.

Usage: deno task enroll --model DIR --gallery URL --data DIR|FILE [options]

  --model DIR            the model directory of the gallery
  --gallery URL          what TRIPTYCH_GALLERY takes, such as sqlite:PATH, which workers may have open;
                         or a running worker, such as https://worker.example, which is sent embeddings alone
  --data DIR|FILE        one folder per subject, or train/, val/, test/ with such folders in them;
                         or a .csv or .jsonl file: path,identity
  --collection NAME      where they are enrolled (default ${DEFAULT_COLLECTION})
  --key KEY              of the worker, with the scope enroll (default TRIPTYCH_KEY)
  --concurrency N        how many threads embed (default: one for each core)
  --max-unreadable N     share of files that may be unreadable (default 0.05)
  --verbose              says where in the program an error arose`;

const Options = EmbedOptions.extend({
  gallery: Given,
  collection: Name.default(DEFAULT_COLLECTION),
  key: Given.optional(),
});

/**
 * @param args of the command line
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C
 */
export async function main(args: string[]): Promise<number> {
  const verbose = args.includes("--verbose");
  try {
    const { help, ...values } = parse(args);
    if (help) return console.log(USAGE), EXIT.done;
    return await run(optionsOf(values));
  } catch (error) {
    console.error(verbose && error instanceof Error ? error.stack : `error: ${messageOf(error)}`);
    if (!(error instanceof TriptychError) && !verbose) {
      console.error("This is a defect of ours; --verbose says where it arose.");
    }
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run({ model: directory, gallery, data, collection, key, ...job }: z.output<typeof Options>) {
  const model = await readModelFiles(directory);
  const samples = await listPhotos(data);
  return await untilInterrupted(async (signal) => {
    const destination = await openDestination(gallery, collection, model.card, key);
    try {
      const { concurrency, "max-unreadable": maxUnreadable } = job;
      const reporter = terminalReporter();
      const counts = await enroll({
        samples,
        root: data,
        model,
        destination,
        concurrency,
        maxUnreadable,
        reporter,
        signal,
      });
      console.log(summary(counts, collection));
      if (!signal.aborted) return EXIT.done;
      console.error("Stopped; the same command goes on from there.");
      return EXIT.interrupted;
    } finally {
      await destination.close();
    }
  });
}

function summary({ enrolled, known, unreadable }: Counts, collection: string): string {
  return `Enrolled ${enrolled} photos in ${collection}; ${known} were there already, ${unreadable} cannot be read.`;
}

function parse(args: string[]) {
  const options = {
    model: { type: "string" },
    gallery: { type: "string" },
    data: { type: "string" },
    collection: { type: "string" },
    key: { type: "string" },
    concurrency: { type: "string" },
    "max-unreadable": { type: "string" },
    verbose: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

function optionsOf(values: Record<string, unknown>): z.output<typeof Options> {
  const parsed = Options.safeParse({ key: Deno.env.get("TRIPTYCH_KEY") || undefined, ...values });
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new UsageError(`--${path.join(".")} is not right: ${message}; see --help.`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
