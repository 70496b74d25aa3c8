import { Buffer } from "node:buffer";
import { ModelError } from "./errors.ts";

/** The file of a model directory that holds its signature, in base64. */
export const SIGNATURE_FILE = "model.json.sig";

/** A public key of Ed25519 as `SubjectPublicKeyInfo` (RFC 8410) in base64: what stands between the lines of its PEM file. */
export const PUBLIC_KEY = /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/;

/**
 * Signs a model: the bytes of its `model.json`, whose card names all the rest by the SHA-256 in its fingerprint.
 *
 * @param key a private key of Ed25519
 * @returns what {@link SIGNATURE_FILE} holds
 */
export async function signModel(modelJson: Uint8Array<ArrayBuffer>, key: CryptoKey): Promise<string> {
  return `${Buffer.from(await crypto.subtle.sign("Ed25519", key, modelJson)).toString("base64")}\n`;
}

/**
 * Reads a model directory whose `model.json` is given out only if it is signed.
 *
 * @param read gives a file of the directory by its name
 * @param publicKey as {@link PUBLIC_KEY} has it
 * @param directory named in errors
 * @returns the same; throws ModelError where the signature is missing, or none of this key for these bytes
 */
export function signedReader(
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  publicKey: string,
  directory: string,
): typeof read {
  return async (name) => {
    const bytes = await read(name);
    if (name === "model.json") await assertSigned(bytes, await signatureIn(read, directory), publicKey, directory);
    return bytes;
  };
}

async function signatureIn(
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
  directory: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(Buffer.from(new TextDecoder().decode(await read(SIGNATURE_FILE)), "base64"));
  } catch {
    throw new ModelError(
      `The model in ${directory} is not signed, and TRIPTYCH_MODEL_KEY asks for it; sign it with \`deno task keys sign\`.`,
    );
  }
}

async function assertSigned(
  modelJson: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  publicKey: string,
  directory: string,
): Promise<void> {
  const spki = new Uint8Array(Buffer.from(publicKey, "base64"));
  const key = await crypto.subtle.importKey("spki", spki, "Ed25519", false, ["verify"]);
  if (await crypto.subtle.verify("Ed25519", key, signature, modelJson)) return;
  throw new ModelError(
    `The signature of the model in ${directory} is not one of TRIPTYCH_MODEL_KEY for this model; take a copy from who signed it, or correct the key.`,
  );
}
