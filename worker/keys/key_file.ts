import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { ulid } from "ulid";
import { z } from "zod";
import { messageOf, UsageError } from "../../shared/errors.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { Name } from "../routes/name.ts";
import { digestOf, type Key, KeysError, type KeySource, type Scope, SCOPES } from "./key.ts";
import { isOrigin } from "./origin.ts";

/** How long a change of the file may go unnoticed. */
const STALE_MILLISECONDS = 1_000;

/** What everybody may do who reads a page. */
const PUBLIC: ReadonlySet<string> = new Set(["verify", "match"] satisfies Scope[]);
const PerMinute = z.int("give a whole number a minute").min(1);

/** A key as the file keeps it. */
export const KeyRecord = z.strictObject({
  id: z.string().min(1),
  /** The SHA-256 of the key. */
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  scopes: z.array(z.enum(SCOPES, `scopes are ${SCOPES.join(", ")}`)).min(1),
  collections: z.array(Name).min(1).optional(),
  origins: z.array(z.string().refine(isOrigin, "give origins like https://shop.example")).min(1).optional(),
  rate: PerMinute.optional(),
  subjectRate: PerMinute.optional(),
}).refine(({ origins, scopes }) => origins === undefined || scopes.every((scope) => PUBLIC.has(scope)), {
  message: "a key with origins stands in pages for everybody to read, so it can have no scope but match and verify",
});
export type KeyRecord = z.infer<typeof KeyRecord>;

const Keys = z.strictObject({ keys: z.array(KeyRecord) });

/** The keys of a file. It is read again when a request comes and the last look is a second old. */
export function keyFile(path: string): KeySource {
  let read: { at: number; keys: Promise<Key[]> } | undefined;
  return () => {
    const now = performance.now();
    if (read === undefined || now - read.at >= STALE_MILLISECONDS) {
      read = { at: now, keys: readRecords(path).then((records) => records.map(keyOf)) };
    }
    return read.keys;
  };
}

/** @throws {KeysError} if the file is not there, or not one of keys */
export async function readRecords(path: string): Promise<KeyRecord[]> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    // What a parser quotes may be a key.
    const cause = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    throw new KeysError(`Cannot read the keys in ${path}: ${cause}; make such a file with \`deno task keys add\`.`);
  }
  const parsed = Keys.safeParse(json);
  if (parsed.success) return parsed.data.keys;
  const { path: where, message } = parsed.error.issues[0];
  throw new KeysError(`The keys in ${path} are not right at ${where.join(".") || "the top"}: ${message}.`);
}

/**
 * Makes a key, and the file if it is not there.
 *
 * @returns the key, which is kept nowhere, and what is kept of it
 * @throws {UsageError} if such a key cannot be
 */
export async function addKey(
  path: string,
  grant: Omit<KeyRecord, "id" | "hash">,
): Promise<{ key: string; record: KeyRecord }> {
  const key = `triptych_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
  const hash = `sha256:${Buffer.from(digestOf(key)).toString("hex")}`;
  const parsed = KeyRecord.safeParse({ id: ulid(), hash, ...grant });
  if (!parsed.success) throw new UsageError(`There can be no such key: ${parsed.error.issues[0].message}.`);
  await change(path, (records) => [...records, parsed.data]);
  return { key, record: parsed.data };
}

/** @throws {UsageError} if the file has no such key */
export async function revokeKey(path: string, id: string): Promise<void> {
  await change(path, (records) => {
    const rest = records.filter((record) => record.id !== id);
    if (rest.length === records.length) {
      throw new UsageError(`${path} has no key ${id}; see those that it has with \`deno task keys list\`.`);
    }
    return rest;
  });
}

/** One change at a time: of two at once, the later would otherwise undo the earlier. */
async function change(path: string, edit: (records: KeyRecord[]) => KeyRecord[]): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using lock = await Deno.open(`${path}.lock`, { write: true, create: true, mode: 0o600 });
  await lock.lock(true);
  const keys = edit(await isThere(path) ? await readRecords(path) : []);
  await replaceFile(path, [new TextEncoder().encode(`${JSON.stringify({ keys }, null, 2)}\n`)], { mode: 0o600 });
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

function keyOf({ id, hash, scopes, collections, origins, ...rates }: KeyRecord): Key {
  return {
    id,
    digest: Buffer.from(hash.slice("sha256:".length), "hex"),
    scopes: new Set(scopes),
    collections: collections && new Set(collections),
    origins: origins && new Set(origins),
    ...rates,
  };
}
