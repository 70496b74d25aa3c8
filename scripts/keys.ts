/**
 * Makes, lists and revokes the worker's keys, makes the key of a gallery, and signs models.
 *
 *     deno task keys add --scopes match --origins https://shop.example --collections products
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { newMasterKey } from "../worker/gallery/encryption.ts";
import { addKey, type KeyRecord, readRecords, revokeKey } from "../worker/keys/key_file.ts";
import { keyFilePath } from "../worker/keys/key_source.ts";
import { signDirectory } from "./sign_model.ts";

const DEFAULT_FILE = ".triptych/keys.json";
const DEFAULT_PRIVATE_KEY = ".triptych/model-key.pem";
/** Everybody who sees a page can take its key, and use it outside of browsers as well. */
const PUBLIC_RATE = 600;

const USAGE =
  `Makes, lists and revokes keys, and makes the key of a gallery. Keys are kept in the file that TRIPTYCH_KEYS names
(default ${DEFAULT_FILE}), as hashes alone; a worker with TRIPTYCH_KEYS=FILE takes up a change within two seconds.

Usage: deno task keys add --scopes SCOPE,.. [--collections NAME,..] [--origins ORIGIN,..] [--rate N]
                             [--subject-rate N]
       deno task keys list
       deno task keys gallery
       deno task keys revoke ID
       deno task keys sign --model DIR [--private-key FILE]

  --scopes SCOPE,..      verify (compare one to one, and embed), match (that, and search), scores (see distances there, not
                         only bands of them), enroll (enrol, list and delete subjects), admin (all)
  --collections NAME,..  the only collections that it may see and change (default all)
  --origins ORIGIN,..    the only origins whose pages it works on, such as https://shop.example; for a key with no scope
                         but match, since everybody who sees the page can read it
  --rate N               requests a minute (default ${PUBLIC_RATE} with --origins, otherwise no limit)
  --subject-rate N       answers a minute that tell how near the same subject is, so that nobody asks on until he has rebuilt
                         it (default no limit)

add prints the key, which is shown this once; what it may do goes to the standard error. gallery prints a new
TRIPTYCH_GALLERY_KEY, which is kept nowhere else: without it, nobody reads a gallery that was made with it.

sign signs a model directory, and prints the public key: a worker with TRIPTYCH_MODEL_KEY set to it serves no other model.

  --model DIR            the model directory
  --private-key FILE     a private key of Ed25519 in PEM, made if it is not there (default ${DEFAULT_PRIVATE_KEY})`;

const EXIT = { done: 0, failed: 1, usage: 2 };

async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals: [command, ...rest] } = parse(args);
    if (values.help) return console.log(USAGE), EXIT.done;
    if (command === "add" && rest.length === 0) await add(values);
    else if (command === "gallery" && rest.length === 0) addMaster();
    else if (command === "list" && rest.length === 0) {
      (await readRecords(file())).map(told).forEach((key) => console.log(key));
    } else if (command === "revoke" && rest.length === 1) {
      await revokeKey(file(), rest[0]);
      console.error(`Revoked ${rest[0]}: workers refuse it within two seconds.`);
    } else if (command === "sign" && rest.length === 0) {
      if (values.model === undefined) throw new UsageError("Say which model, as in --model samples/model; see --help.");
      console.log(await signDirectory(values.model, values["private-key"] ?? DEFAULT_PRIVATE_KEY));
    } else throw new UsageError("deno task keys takes add, list, revoke ID, gallery, or sign; see --help.");
    return EXIT.done;
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    if (!(error instanceof TriptychError)) console.error("This is a defect of ours.");
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

type Options = ReturnType<typeof parse>["values"];

async function add({ scopes, collections, origins, rate, "subject-rate": subjectRate }: Options): Promise<void> {
  if (scopes === undefined) throw new UsageError("Say what the key may do, as in --scopes match; see --help.");
  const usual = origins === undefined ? undefined : PUBLIC_RATE;
  const limit = rate === undefined ? usual : Number(rate);
  const { key, record } = await addKey(file(), {
    // The file's schema refuses what is no scope.
    scopes: listed(scopes) as KeyRecord["scopes"],
    ...collections !== undefined && { collections: listed(collections) },
    ...origins !== undefined && { origins: listed(origins) },
    ...limit !== undefined && { rate: limit },
    ...subjectRate !== undefined && { subjectRate: Number(subjectRate) },
  });
  console.error(`Made ${told(record)}. It is kept nowhere but here:`);
  console.log(key);
}

function addMaster(): void {
  console.error("Made a key that encrypts a gallery. It is kept nowhere but here, and a gallery is lost with its key:");
  console.log(newMasterKey());
}

/** What a key may do, in a line. */
function told({ id, scopes, collections, origins, rate, subjectRate }: KeyRecord): string {
  return [
    `${id}: ${scopes.join(", ")}`,
    collections === undefined ? "all collections" : `collections ${collections.join(", ")}`,
    origins === undefined ? "anywhere" : `pages of ${origins.join(", ")}`,
    rate === undefined ? "no limit" : `${rate} requests a minute`,
    ...subjectRate === undefined ? [] : [`${subjectRate} of the same subject`],
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
    "subject-rate": { type: "string" },
    model: { type: "string" },
    "private-key": { type: "string" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
