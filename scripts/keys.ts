/**
 * Makes, lists and revokes the worker's keys.
 *
 *     deno task keys add --scopes match --origins https://shop.example --collections products
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { addKey, type KeyRecord, readRecords, revokeKey } from "../worker/keys/key_file.ts";
import { keyFilePath } from "../worker/keys/key_source.ts";

const DEFAULT_FILE = ".triptych/keys.json";
/** Everybody who sees a page can take its key, and use it outside of browsers as well. */
const PUBLIC_RATE = 600;

const USAGE =
  `Makes, lists and revokes keys. They are kept in the file that TRIPTYCH_KEYS names (default ${DEFAULT_FILE}), as
hashes alone; a worker with TRIPTYCH_KEYS=FILE takes up a change within two seconds.

Usage: deno task keys add --scopes SCOPE,.. [--collections NAME,..] [--origins ORIGIN,..] [--rate N]
       deno task keys list
       deno task keys revoke ID

  --scopes SCOPE,..      verify (one to one, and embed), match (that, and search), enroll (enrol, list and delete subjects), admin (all)
  --collections NAME,..  the only collections that it may see and change (default all)
  --origins ORIGIN,..    the only origins whose pages it works on, such as https://shop.example; for a key with no scope
                         but match, since everybody who sees the page can read it
  --rate N               requests a minute (default ${PUBLIC_RATE} with --origins, otherwise no limit)

add prints the key, which is shown this once; what it may do goes to the standard error.`;

const EXIT = { done: 0, failed: 1, usage: 2 };

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals: [command, ...rest] } = parse(args);
    if (values.help) return console.log(USAGE), EXIT.done;
    if (command === "add" && rest.length === 0) await add(values);
    else if (command === "list" && rest.length === 0) {
      (await readRecords(file())).map(told).forEach((key) => console.log(key));
    } else if (command === "revoke" && rest.length === 1) {
      await revokeKey(file(), rest[0]);
      console.error(`Revoked ${rest[0]}: workers refuse it within two seconds.`);
    } else throw new UsageError("deno task keys takes add, list, or revoke ID; see --help.");
    return EXIT.done;
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    if (!(error instanceof TriptychError)) console.error("This is a defect of ours.");
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function add({ scopes, collections, origins, rate }: ReturnType<typeof parse>["values"]): Promise<void> {
  if (scopes === undefined) throw new UsageError("Say what the key may do, as in --scopes match; see --help.");
  const usual = origins === undefined ? undefined : PUBLIC_RATE;
  const limit = rate === undefined ? usual : Number(rate);
  const { key, record } = await addKey(file(), {
    // The file's schema refuses what is no scope.
    scopes: listed(scopes) as KeyRecord["scopes"],
    ...collections !== undefined && { collections: listed(collections) },
    ...origins !== undefined && { origins: listed(origins) },
    ...limit !== undefined && { rate: limit },
  });
  console.error(`Made ${told(record)}. It is kept nowhere but here:`);
  console.log(key);
}

/** What a key may do, in a line. */
function told({ id, scopes, collections, origins, rate }: KeyRecord): string {
  return [
    `${id}: ${scopes.join(", ")}`,
    collections === undefined ? "all collections" : `collections ${collections.join(", ")}`,
    origins === undefined ? "anywhere" : `pages of ${origins.join(", ")}`,
    rate === undefined ? "no limit" : `${rate} requests a minute`,
  ].join("; ");
}

function file(): string {
  const text = Deno.env.get("TRIPTYCH_KEYS") || DEFAULT_FILE;
  const path = keyFilePath(text);
  if (path === null) {
    throw new UsageError("TRIPTYCH_KEYS holds keys themselves; set it to the path of a file, ending in .json.");
  }
  return path;
}

function listed(text: string): string[] {
  return text.split(",").map((item) => item.trim());
}

function parse(args: string[]) {
  const options = {
    scopes: { type: "string" },
    collections: { type: "string" },
    origins: { type: "string" },
    rate: { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
