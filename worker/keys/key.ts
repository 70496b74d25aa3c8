import { createHash } from "node:crypto";
import { TriptychError } from "../../shared/errors.ts";

/** What a key can be allowed to do. */
export const SCOPES = ["verify", "match", "scores", "enroll", "admin"] as const;

/**
 * What a key may do: compare one to one (`verify`, and `embed` for it); search a whole collection, and that; see distances
 * there, not only bands of them; enrol, list and delete subjects; or all, collections too.
 */
export type Scope = typeof SCOPES[number];

/** A key that is known: its SHA-256, never itself. */
export interface Key {
  /** Names it, among those of its source. */
  id: string;
  digest: Uint8Array;
  scopes: ReadonlySet<Scope>;
  /** Those that it may see and change; undefined for all. */
  collections?: ReadonlySet<string> | undefined;
  /** Those from whose pages alone it works; undefined for any, and for what is no page. */
  origins?: ReadonlySet<string> | undefined;
  /** How many requests a minute it may make; undefined for as many as it likes. */
  rate?: number | undefined;
  /** How many of its answers a minute may tell of the same subject; undefined for as many as there are. */
  subjectRate?: number | undefined;
}

/** Whether a key may do what needs a scope: one of `match` may what one of `verify` may. */
export function hasScope({ scopes }: Pick<Key, "scopes">, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has("admin") || (scope === "verify" && scopes.has("match"));
}

/** A file of keys that cannot be read: none holds. */
export class KeysError extends TriptychError {
  override readonly name = "KeysError";
}

/**
 * The keys that hold at this moment.
 *
 * @throws {KeysError} if they cannot be read
 */
export type KeySource = () => Promise<readonly Key[]>;

/** The SHA-256 of a key, the only thing that is kept of it. */
export function digestOf(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}
