/**
 * Exports, imports, re-embeds, judges and prunes a gallery.
 *
 *     deno task gallery export --gallery sqlite:.triptych/gallery.sqlite --out gallery.snapshot
 *
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { GalleryError, messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { terminalReporter } from "../trainer/report/progress.ts";
import { DEFAULT_COLLECTION } from "../worker/gallery/gallery.ts";
import { Name } from "../worker/routes/name.ts";
import { untilInterrupted } from "./enroll/interrupt.ts";
import { EmbedOptions, Given, listPhotos } from "./enroll/options.ts";
import { exportGallery } from "./gallery/export.ts";
import { forget, isComplete } from "./gallery/forget.ts";
import { importGallery } from "./gallery/import.ts";
import { type Opened, openExisting } from "./gallery/location.ts";
import { reembed, type Reembedded } from "./gallery/reembed.ts";
import { statsOf } from "./gallery/stats.ts";

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 };

const USAGE = `Exports, imports, re-embeds, judges and prunes a gallery, while workers have it open.

Usage: deno task gallery export  --out FILE [--gallery URL] [--unencrypted]
       deno task gallery import  --from FILE [--gallery URL] [--replace]
       deno task gallery stats   [--gallery URL]
       deno task gallery forget  SUBJECT [--collection NAME] [--gallery URL] [--snapshot FILE]
       deno task gallery reembed --model DIR --data DIR|FILE --to URL [--gallery URL] [--collection NAME]

  --gallery URL          what TRIPTYCH_GALLERY takes (default that variable, or the worker's default); its model is that of
                         TRIPTYCH_MODEL (default samples/model)
  --out FILE             the snapshot that is written: all of one moment, which workers then serve read-only
  --unencrypted          of a gallery that is encrypted too: a snapshot is not
  --from FILE            the snapshot that is put into the gallery: those who are there get the images that they lack
  --replace              the gallery afterwards holds what the snapshot holds, and nothing else
  --collection NAME      of the subject, or what is embedded again (default ${DEFAULT_COLLECTION})
  --snapshot FILE        a snapshot that is written anew without the subject; then only with --gallery in the gallery too
  --model DIR            the new model
  --data DIR|FILE        the photos, as deno task enroll takes them
  --to URL               the new gallery; an SQLite database is there when it is complete, from one moment to the next
  --concurrency N        how many threads embed (default: one for each core)
  --max-unreadable N     share of photos that may be unreadable (default 0.05)
  --verbose              says where in the program an error arose

forget prints a receipt as JSON: what was deleted where, and how it was verified. Its sha256 is of the same JSON without
white space and without that member. After reembed, workers of the old model go on; start others with the new model and
TRIPTYCH_GALLERY set to --to.`;

const Gallery = z.object({ gallery: Given.optional() });
const Collection = Gallery.extend({ collection: Name.default(DEFAULT_COLLECTION) });

/** What each command takes and does. @returns the exit status */
const COMMANDS = {
  export: command(
    Gallery.extend({ out: Given, unencrypted: z.boolean().default(false) }),
    ({ gallery, out, unencrypted }) =>
      withOpened(gallery, async (opened) => {
        console.log(await exportGallery(opened, out, unencrypted, terminalReporter()));
        return EXIT.done;
      }),
  ),
  import: command(
    Gallery.extend({ from: Given, replace: z.boolean().default(false) }),
    async ({ gallery, from, replace }) => {
      console.log(await importGallery(gallery, from, replace, terminalReporter()));
      return EXIT.done;
    },
  ),
  stats: command(Gallery, ({ gallery }) =>
    withOpened(gallery, async (opened) => {
      console.log(await statsOf(opened, terminalReporter()));
      return EXIT.done;
    })),
  forget: command(Collection.extend({ subject: Name, snapshot: Given.optional() }), async (options) => {
    const receipt = await forget(options, terminalReporter());
    console.log(JSON.stringify(receipt, null, 2));
    if (isComplete(receipt)) return EXIT.done;
    throw new GalleryError("Traces are left, as the receipt says: another process holds them; run it again later.");
  }),
  reembed: command(
    EmbedOptions.extend(Collection.shape).extend({ to: Given }),
    ({ gallery, data, ...options }) =>
      withOpened(gallery, async (old) => {
        const samples = await listPhotos(data), model = await readModelFiles(options.model);
        const { collection, to, concurrency, "max-unreadable": maxUnreadable } = options;
        const job = {
          old,
          samples,
          root: data,
          model,
          collection,
          to,
          concurrency,
          maxUnreadable,
          reporter: terminalReporter(),
        };
        return reported(await untilInterrupted((signal) => reembed({ ...job, signal })), options);
      }),
  ),
};

/**
 * @param args of the command line
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C
 */
export async function main(args: string[]): Promise<number> {
  const verbose = args.includes("--verbose");
  try {
    const { values: { help, verbose: _, ...values }, positionals: [name, subject, ...rest] } = parse(args);
    if (help) return console.log(USAGE), EXIT.done;
    if (!Object.hasOwn(COMMANDS, name ?? "") || rest.length > 0 || (subject !== undefined && name !== "forget")) {
      throw new UsageError(`deno task gallery takes ${Object.keys(COMMANDS).join(", ")}; see --help.`);
    }
    return await COMMANDS[name as keyof typeof COMMANDS]({ ...values, ...name === "forget" && { subject } });
  } catch (error) {
    console.error(verbose && error instanceof Error ? error.stack : `error: ${messageOf(error)}`);
    if (!(error instanceof TriptychError) && !verbose) {
      console.error("This is a defect of ours; --verbose says where it arose.");
    }
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

/** @param schema strict: an option that another command takes is wrong usage */
function command<S extends z.ZodObject>(schema: S, run: (options: z.output<S>) => Promise<number>) {
  return (values: Record<string, unknown>) => {
    const parsed = z.strictObject(schema.shape).safeParse(values);
    if (parsed.success) return run(parsed.data as z.output<S>);
    const [issue] = parsed.error.issues;
    const name = issue.code === "unrecognized_keys" ? issue.keys[0] : issue.path.join(".");
    const message = issue.code === "unrecognized_keys" ? "this command does not take it" : issue.message;
    throw new UsageError(`${name === "subject" ? "SUBJECT" : `--${name}`} is not right: ${message}; see --help.`);
  };
}

async function withOpened(url: string | undefined, work: (opened: Opened) => Promise<number>): Promise<number> {
  const opened = await openExisting(url, "read");
  try {
    return await work(opened);
  } finally {
    await opened.gallery.close();
  }
}

function reported({ enrolled, known, unreadable, ...done }: Reembedded, { to, model }: { to: string; model: string }) {
  for (const subject of done.withoutImages) console.error(`warning: ${subject} has no image now: no photo is of it.`);
  console.log(
    `Embedded ${enrolled} photos again; ${known} were there already, ${unreadable} cannot be read; ${done.withoutImages.length} subjects have no image.`,
  );
  if (!done.isPublished) {
    console.error("Stopped; the same command goes on from there, and the gallery of the old model is as it was.");
    return EXIT.interrupted;
  }
  console.log(`To switch, start workers with TRIPTYCH_MODEL=${model} TRIPTYCH_GALLERY=${to}.`);
  return EXIT.done;
}

function parse(args: string[]) {
  const text = { type: "string" } as const, flag = { type: "boolean" } as const;
  const options = {
    ...{ gallery: text, out: text, from: text, to: text, model: text, data: text, snapshot: text, collection: text },
    ...{ concurrency: text, "max-unreadable": text, replace: flag, unencrypted: flag, verbose: flag },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
