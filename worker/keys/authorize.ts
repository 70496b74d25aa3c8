import { Problem } from "../middleware/problem.ts";
import { digestOf, hasScope, type Key, type Scope } from "./key.ts";

/** What a request says of who sends it. */
export interface Credentials {
  /** The header `Authorization`. */
  authorization: string | undefined;
  /** The header `Origin`. */
  origin: string | undefined;
}

/**
 * The key of a request, if it has a scope, or `admin`, and works there.
 *
 * @throws {Problem} 401 without a known key, 403 if it lacks the scope or the request comes from none of its origins
 */
export function authorize(keys: readonly Key[], scope: Scope, { authorization, origin }: Credentials): Key {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
  if (bearer === undefined) {
    throw new Problem(401, "This needs a key: send Authorization: Bearer KEY.", { "www-authenticate": "Bearer" });
  }
  const digest = digestOf(bearer);
  // All keys are looked at, whichever it is, so that the time taken tells nothing.
  const [key] = keys.filter((key) => equal(key.digest, digest));
  if (key === undefined) {
    throw new Problem(401, "This key is not known; check it for typing errors.", {
      "www-authenticate": 'Bearer error="invalid_token"',
    });
  }
  if (key.origins !== undefined && !key.origins.has(origin ?? "")) {
    throw new Problem(403, "This key works on pages of its own origins alone; use another one elsewhere.");
  }
  if (!hasScope(key, scope)) throw lacks(scope);
  return key;
}

/** @returns the problem of a key without a scope that it needs */
export function lacks(scope: Scope): Problem {
  return new Problem(403, `This key has no scope "${scope}"; use one that has it.`, {
    "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"`,
  });
}

/** Whether a request may see and change a collection. */
export type Permits = (collection: string) => boolean;

/** @throws {Problem} 403 if the request may not */
export function assertPermitted(permits: Permits, collection: string): void {
  if (permits(collection)) return;
  throw new Problem(
    403,
    `This key is limited to collections other than "${collection}"; name one of those, or use another key.`,
  );
}

/** Whether two digests are equal, in a time that does not depend on where they differ. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}
