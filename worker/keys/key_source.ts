import { UsageError } from "../../shared/errors.ts";
import { digestOf, type Key, type KeySource, type Scope, SCOPES } from "./key.ts";
import { keyFile } from "./key_file.ts";

/**
 * The keys of `TRIPTYCH_KEYS`: entries `scope+scope:KEY`, separated by commas, or the path of a file that
 * `deno task keys` writes.
 *
 * @throws {UsageError} that names the entry by its place, never by its key
 */
export function parseKeys(text: string): KeySource {
  const path = keyFilePath(text);
  if (path !== null) return keyFile(path);
  const keys = keysOf(text);
  return () => Promise.resolve(keys);
}

/** @returns the path that a value of `TRIPTYCH_KEYS` is, null if it is entries */
export function keyFilePath(text: string): string | null {
  return text.endsWith(".json") && !new RegExp(`^\\s*(${SCOPES.join("|")})[+:]`).test(text) ? text : null;
}

function keysOf(text: string): Key[] {
  const scopesOf = new Map<string, Scope[]>();
  text.split(",").forEach((entry, i) => {
    const [, scopes, key] = /^\s*([a-z+]+):(\S+)\s*$/.exec(entry) ?? [];
    const names = scopes?.split("+") ?? [];
    if (key === undefined || !names.every((name) => (SCOPES as readonly string[]).includes(name))) {
      throw new UsageError(
        `Entry ${i + 1} of TRIPTYCH_KEYS is not of the form scope+scope:KEY with scopes of ${
          SCOPES.join(", ")
        }; for example match+enroll:${"x".repeat(8)}. The path of a file of keys ends in .json.`,
      );
    }
    scopesOf.set(key, [...scopesOf.get(key) ?? [], ...names as Scope[]]);
  });
  return [...scopesOf].map(([key, scopes], i) => ({
    id: String(i + 1),
    digest: digestOf(key),
    scopes: new Set(scopes),
  }));
}
