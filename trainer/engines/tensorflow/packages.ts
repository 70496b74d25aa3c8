import { dirname, join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import { EngineMissing } from "../engine.ts";

/** A package of the npm registry, one version of it. */
export interface NpmPackage {
  name: string;
  version: string;
  /** SHA-512 of its tarball, base64. */
  sha512: string;
}

/** tfjs's addon for TensorFlow, as JavaScript and as C++ sources. It serves the GPU too. */
export const TFJS_NODE: NpmPackage = {
  name: "@tensorflow/tfjs-node",
  version: "4.22.0",
  sha512: "uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
};
/** The C headers of Node-API. */
export const NODE_API_HEADERS: NpmPackage = {
  name: "node-api-headers",
  version: "1.9.0",
  sha512: "2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==",
};
/** What {@link TFJS_NODE} reads and writes TensorFlow's messages with. */
export const GOOGLE_PROTOBUF: NpmPackage = {
  name: "google-protobuf",
  version: "3.21.4",
  sha512: "MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==",
};

/**
 * Unpacks a package of the npm registry into `node_modules/`, unless that version is there. None of its scripts run, and
 * nothing that it depends on is fetched.
 *
 * @throws {EngineMissing} if it cannot be fetched, or is not the one that was pinned
 */
export async function installPackage(modules: string, wanted: NpmPackage): Promise<void> {
  const folder = join(modules, wanted.name);
  if (await versionIn(folder) === wanted.version) return;
  const tarball = await download(wanted);
  const fresh = `${folder}.new`;
  await Deno.remove(fresh, { recursive: true }).catch(() => {});
  await Deno.mkdir(fresh, { recursive: true });
  await unpack(tarball, fresh);
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.rename(fresh, folder);
}

async function versionIn(folder: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(join(folder, "package.json")).catch(() => "{}");
  return (JSON.parse(text) as { version?: string }).version;
}

async function download({ name, version, sha512 }: NpmPackage): Promise<Uint8Array<ArrayBuffer>> {
  const registry = (Deno.env.get("NPM_CONFIG_REGISTRY") ?? "https://registry.npmjs.org").replace(/\/+$/, "");
  const url = `${registry}/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
  let tarball: Uint8Array<ArrayBuffer>;
  try {
    const response = await fetch(url);
    tarball = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
  } catch (error) {
    throw new EngineMissing(
      `${url} cannot be fetched (${
        messageOf(error)
      }): the engine needs it once; go online, or set NPM_CONFIG_REGISTRY.`,
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", tarball));
  if (digest.toBase64() !== sha512) {
    throw new EngineMissing(
      `${url} is not the package that was pinned: its SHA-512 is ${digest.toBase64()}; check the registry.`,
    );
  }
  return tarball;
}

const BLOCK = 512;
const REGULAR_FILE = "0";

/** Writes the regular files of a .tar.gz (POSIX ustar), without the first folder of their paths. */
async function unpack(tarball: Uint8Array<ArrayBuffer>, into: string): Promise<void> {
  const stream = new Blob([tarball]).stream().pipeThrough(new DecompressionStream("gzip"));
  const tar = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = (from: number, length: number) =>
    new TextDecoder().decode(tar.subarray(from, from + length)).split("\0")[0].trim();
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    const path = join(text(at + 345, 155), text(at, 100)).split("/").slice(1).join("/");
    if (text(at + 156, 1) === REGULAR_FILE) {
      await Deno.mkdir(dirname(join(into, path)), { recursive: true });
      await Deno.writeFile(join(into, path), tar.subarray(at + BLOCK, at + BLOCK + size));
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
