import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { GalleryError } from "../../shared/errors.ts";

const ALGORITHM = "aes-256-gcm";
const NONCE = 12, TAG = 16;

/** The length of a key, bytes. */
export const KEY_BYTES = 32;

/** Seals bytes with one key, so that only who has it reads them and nobody changes or moves them unnoticed. */
export interface Sealer {
  /**
   * Encrypts by AES-256-GCM with a random nonce (NIST SP 800-38D).
   *
   * @param place names where the bytes belong: they open nowhere else
   * @returns nonce (12 bytes), ciphertext, tag (16 bytes)
   */
  seal(bytes: Uint8Array, ...place: string[]): Uint8Array<ArrayBuffer>;
  /** @throws {SealError} if the bytes are not what this key has sealed for that place */
  open(sealed: Uint8Array, ...place: string[]): Uint8Array<ArrayBuffer>;
}

/** Bytes that do not open: changed, moved from elsewhere, or sealed with another key. */
export class SealError extends GalleryError {
  constructor(readonly place: readonly string[]) {
    super(
      `The ${place[0]} of ${
        place.slice(1).join(", ")
      } in the gallery was changed or put there from elsewhere; restore the gallery from a backup.`,
    );
  }
}

/** @param key `KEY_BYTES` bytes */
export function createSealer(key: Uint8Array): Sealer {
  return {
    seal(bytes, ...place) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv(ALGORITHM, key, nonce);
      cipher.setAAD(Buffer.from(JSON.stringify(place)));
      return new Uint8Array(Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]));
    },
    open(sealed, ...place) {
      if (sealed.length < NONCE + TAG) throw new SealError(place);
      const cipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE));
      cipher.setAAD(Buffer.from(JSON.stringify(place)));
      cipher.setAuthTag(sealed.subarray(-TAG));
      const bytes = cipher.update(sealed.subarray(NONCE, -TAG));
      try {
        return new Uint8Array(Buffer.concat([bytes, cipher.final()]));
      } catch {
        throw new SealError(place);
      }
    },
  };
}

/** The key of a collection, as it is kept: sealed with the master key. Without it, nothing of the collection opens. */
export type WrappedKey = Uint8Array<ArrayBuffer>;

/** Makes the keys of collections, and gives them back. */
export interface KeyRing {
  /** A new random key for a collection. */
  make(collection: string): WrappedKey;
  /** @throws {SealError} if the master key is another, or the key is another collection's */
  sealerOf(wrapped: WrappedKey, collection: string): Sealer;
}

/** @param master `KEY_BYTES` bytes */
export function createKeyRing(master: Uint8Array): KeyRing {
  const wrapping = createSealer(master);
  const sealers = new Map<string, Sealer>();
  return {
    make: (collection) => wrapping.seal(randomBytes(KEY_BYTES), "key", collection),
    sealerOf(wrapped, collection) {
      const known = `${Buffer.from(wrapped).toString("base64")} ${collection}`;
      let sealer = sealers.get(known);
      if (sealer === undefined) sealers.set(known, sealer = createSealer(wrapping.open(wrapped, "key", collection)));
      return sealer;
    },
  };
}

/**
 * Reads a master key.
 *
 * @param text 32 bytes as 64 hexadecimal digits or in base64
 * @returns null if it is neither
 */
export function parseMasterKey(text: string): Uint8Array<ArrayBuffer> | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return new Uint8Array(Buffer.from(text, "hex"));
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? new Uint8Array(Buffer.from(text, "base64")) : null;
}

/** A new random master key, in base64. */
export function newMasterKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

/**
 * Makes sure that a gallery is opened as it was made.
 *
 * @param where the gallery is, named in the error
 * @param wrapped the key that some collection of it has; undefined if the gallery was made without a key
 * @throws {GalleryError} if it has a key and none or another is given, or has none and one is given
 */
export function checkKey(
  where: string,
  wrapped: { key: WrappedKey; collection: string } | undefined,
  keys: KeyRing | undefined,
): void {
  if (wrapped === undefined && keys !== undefined) {
    throw new GalleryError(
      `The gallery in ${where} was made without a key and is not encrypted; unset TRIPTYCH_GALLERY_KEY, or set TRIPTYCH_GALLERY to a new place and import there what you export from here.`,
    );
  }
  if (wrapped === undefined) return;
  if (keys === undefined) {
    throw new GalleryError(
      `The gallery in ${where} is encrypted; set TRIPTYCH_GALLERY_KEY to the key it was made with.`,
    );
  }
  try {
    keys.sealerOf(wrapped.key, wrapped.collection);
  } catch {
    throw new GalleryError(
      `The gallery in ${where} was made with another key; set TRIPTYCH_GALLERY_KEY to that one.`,
    );
  }
}
