import { createHash } from "node:crypto";
import { UsageError } from "../../shared/errors.ts";
import { Problem } from "./problem.ts";

const SCOPES = ["match", "enroll", "admin"] as const;

/** What a key may do: `match`, `verify` and `embed`; enrol, list and delete subjects; or all, collections too. */
export type Scope = typeof SCOPES[number];

/** A key that is known: its SHA-256, never itself. */
export interface Key {
  digest: Uint8Array;
  scopes: ReadonlySet<Scope>;
}

/**
 * Reads `TRIPTYCH_KEYS`: entries `scope+scope:KEY`, separated by commas.
 *
 * @throws {UsageError} that names the entry by its place, never by its key
 */
export function parseKeys(text: string): Key[] {
  return text.split(",").map((entry, i) => {
    const [, scopes, key] = /^\s*([a-z+]+):(\S+)\s*$/.exec(entry) ?? [];
    const names = scopes?.split("+") ?? [];
    if (key === undefined || !names.every((name) => (SCOPES as readonly string[]).includes(name))) {
      throw new UsageError(
        `Entry ${i + 1} of TRIPTYCH_KEYS is not of the form scope+scope:KEY with scopes of ${
          SCOPES.join(", ")
        }; for example match+enroll:${"x".repeat(8)}.`,
      );
    }
    return { digest: sha256(key), scopes: new Set(names as Scope[]) };
  });
}

/**
 * Lets only those pass whose key has a scope, or `admin`.
 *
 * @param keys undefined lets everybody pass
 * @param authorization the request's header
 * @throws {Problem} 401 without a known key, 403 if it lacks the scope
 */
export function authorize(keys: readonly Key[] | undefined, scope: Scope, authorization: string | undefined): void {
  if (keys === undefined) return;
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (bearer === undefined) {
    throw new Problem(401, "This needs a key: send Authorization: Bearer KEY.", { "www-authenticate": "Bearer" });
  }
  const digest = sha256(bearer);
  // All keys are looked at, whichever it is, so that the time taken tells nothing.
  const granted = keys.filter((key) => equal(key.digest, digest)).flatMap((key) => [...key.scopes]);
  if (granted.length === 0) {
    throw new Problem(401, "This key is not known; check it for typing errors.", {
      "www-authenticate": 'Bearer error="invalid_token"',
    });
  }
  if (!granted.includes(scope) && !granted.includes("admin")) {
    throw new Problem(403, `This key has no scope "${scope}"; use one that has it.`, {
      "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"`,
    });
  }
}

/** Whether two digests are equal, in a time that does not depend on where they differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
