import { Buffer } from "node:buffer";
import { join } from "node:path";
import { UsageError } from "../shared/errors.ts";
import { readModelFiles } from "../shared/model_files.ts";
import { SIGNATURE_FILE, signModel } from "../shared/model_signature.ts";
import { replaceFile } from "../shared/replace_file.ts";

/**
 * Signs a model directory, whose files are checked before.
 *
 * @param privateKey the PEM file of a private key of Ed25519; made, for its owner alone, if it is not there
 * @returns the public key, as `TRIPTYCH_MODEL_KEY` takes it
 * @throws {ModelError} if there is no such model, or its files are not those of its card
 * @throws {UsageError} if the file is no such key
 */
export async function signDirectory(model: string, privateKey: string): Promise<string> {
  await readModelFiles(model);
  const key = await isThere(privateKey) ? await readKey(privateKey) : await makeKey(privateKey);
  const signature = await signModel(await Deno.readFile(join(model, "model.json")), key);
  await replaceFile(join(model, SIGNATURE_FILE), [new TextEncoder().encode(signature)]);
  return await publicKeyOf(key);
}

async function readKey(path: string): Promise<CryptoKey> {
  const [, body] = /^-----BEGIN PRIVATE KEY-----([\sA-Za-z0-9+/=]+)-----END PRIVATE KEY-----\s*$/.exec(
    await Deno.readTextFile(path),
  ) ?? [];
  try {
    return await importKey(Buffer.from(body, "base64"));
  } catch {
    throw new UsageError(`${path} is no private key of Ed25519 in PEM; name a file that is not there to make one.`);
  }
}

async function makeKey(path: string): Promise<CryptoKey> {
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const body = Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
  const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
  await replaceFile(path, [new TextEncoder().encode(pem)], { mode: 0o600 });
  return privateKey;
}

function importKey(pkcs8: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), "Ed25519", true, ["sign"]);
}

/** The JSON Web Key of a private key has the public one in it (RFC 8037). */
async function publicKeyOf(key: CryptoKey): Promise<string> {
  const { x } = await crypto.subtle.exportKey("jwk", key);
  const prefix = Buffer.from("MCowBQYDK2VwAyEA", "base64");
  return Buffer.concat([prefix, Buffer.from(x!, "base64url")]).toString("base64");
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
