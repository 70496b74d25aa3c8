/**
 * Enrols a folder of photos, one folder per subject, in a gallery.
 *
 *     deno task enroll --model DIR --gallery URL --data DIR
 *
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { DataError, messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { listSamples } from "../trainer/data/dataset.ts";
import type { Sample } from "../trainer/data/sample.ts";
import { terminalReporter } from "../trainer/report/progress.ts";
import { DEFAULT_COLLECTION } from "../worker/gallery/gallery.ts";
import { Name } from "../worker/routes/name.ts";
import { whole } from "../worker/whole.ts";
import { openDestination } from "./enroll/destination.ts";
import { type Counts, enroll } from "./enroll/enroll.ts";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 };
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const USAGE =
  `Embeds photos on this machine and enrols them in a gallery. A photo that its subject has is not enrolled again,
so that the same command goes on where it was stopped, and takes up photos that are new. Several machines that run it at the
same time on one gallery in Postgres share the photos.

Usage: deno task enroll --model DIR --gallery URL --data DIR|FILE [options]

  --model DIR            the model directory of the gallery
  --gallery URL          what TRIPTYCH_GALLERY takes, such as the path of a snapshot file, while no worker has it open;
                         or a running worker, such as https://worker.example, which is sent embeddings alone
  --data DIR|FILE        one folder per subject, or train/, val/, test/ with such folders in them;
                         or a .csv or .jsonl file: path,identity
  --collection NAME      where they are enrolled (default ${DEFAULT_COLLECTION})
  --key KEY              of the worker, with the scope enroll (default TRIPTYCH_KEY)
  --concurrency N        how many threads embed (default: one for each core)
  --max-unreadable N     share of files that may be unreadable (default 0.05)
  --verbose              says where in the program an error arose`;

const Options = z.object({
  model: z.string("it is missing").min(1, "it is empty"),
  gallery: z.string("it is missing").min(1, "it is empty"),
  data: z.string("it is missing").min(1, "it is empty").transform((path) => path.replace(/(?<=.)\/+$/, "")),
  collection: Name.default(DEFAULT_COLLECTION),
  key: z.string().min(1, "it is empty").optional(),
  concurrency: whole(1, 256, "threads").default(() => navigator.hardwareConcurrency),
  "max-unreadable": z.string().regex(/^[\d.]+$/, "give a share from 0 to 1").transform(Number)
    .pipe(z.number("give a share from 0 to 1").max(1, "give a share from 0 to 1")).default(0.05),
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
  const samples = (await listSamples(data)).map(withSubject);
  const interrupt = new AbortController();
  const onSignal = () => {
    interrupt.abort();
    // A second one ends the process as if nobody listened.
    SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, onSignal));
  };
  SIGNALS.forEach((signal) => Deno.addSignalListener(signal, onSignal));
  const destination = await openDestination(gallery, collection, model.card, key);
  try {
    const counts = await enroll({
      samples,
      root: data,
      model,
      destination,
      concurrency: job.concurrency,
      maxUnreadable: job["max-unreadable"],
      reporter: terminalReporter(),
      signal: interrupt.signal,
    });
    console.log(summary(counts, collection));
    if (!interrupt.signal.aborted) return EXIT.done;
    console.error("Stopped; the same command goes on from there.");
    return EXIT.interrupted;
  } finally {
    await destination.close();
  }
}

/** @throws {DataError} if its identity cannot be the name of a subject */
function withSubject(sample: Sample): Sample {
  const { success, data: identity, error } = Name.safeParse(sample.identity);
  if (success) return { ...sample, identity };
  throw new DataError(`${sample.path} cannot be enrolled as "${sample.identity}": ${error.issues[0].message}.`);
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
