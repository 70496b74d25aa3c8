import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TriptychError, UsageError } from "../../shared/errors.ts";
import { fileNamesOf, readModelFiles } from "../../shared/model_files.ts";
import { SIGNATURE_FILE } from "../../shared/model_signature.ts";
import { packageFile } from "../../shared/package_file.ts";
import { limited, WASM_BINARIES, type WasmBinary } from "../../shared/wasm_modules.ts";
import { ASSETS } from "../../worker/assets.ts";
import { workerdFiles } from "./workerd.ts";

/** How a runtime wants the worker. */
export interface Runtime {
  /** What is bundled. */
  entry: string;
  /** The entry of its threads, which is bundled beside it; none where it has none. */
  thread?: string;
  /** Which builds of the packages: those for Node, or those for browsers. */
  platform: "deno" | "browser";
  /** Files beside the bundle, by path. @param model the paths of the model's files */
  files(model: string[]): Record<string, string>;
  /** How the folder is started. */
  start: string;
}

const SETTINGS = {
  // The folder is a project of its own, wherever it lies.
  workspace: [],
  imports: Object.fromEntries(Object.entries(WASM_BINARIES).map(([name, binary]) => [binary, `./wasm/${name}.wasm`])),
  deploy: { runtime: { type: "dynamic", entrypoint: "./worker/main.js" } },
};

/** The runtimes that the worker is built for. */
export const RUNTIMES = {
  deno: {
    entry: "worker/main.ts",
    thread: "worker/image_thread.ts",
    platform: "deno",
    files: () => ({ "deno.json": json(SETTINGS) }),
    start: "deno run --allow-read --allow-write --allow-env --allow-net worker/main.js",
  },
  node: {
    entry: "worker/node.ts",
    thread: "worker/node_thread.ts",
    platform: "deno",
    files: () => ({ "package.json": json({ private: true, type: "module", engines: { node: ">=20" } }) }),
    start: "node worker/main.js",
  },
  workerd: {
    entry: "worker/workerd.ts",
    platform: "browser",
    files: workerdFiles,
    start: "npx workerd serve config.capnp",
  },
} as const satisfies Record<string, Runtime>;

/** The name of a runtime. */
export type RuntimeName = keyof typeof RUNTIMES;

/** What was built. */
export interface Built {
  /** Size of the folder. */
  bytes: number;
  /** The command that starts it. */
  start: string;
}

/**
 * Writes a folder with all that a runtime needs: the worker in one file, WebAssembly binaries, the model.
 *
 * @param folder is written anew
 * @throws {UsageError} if the folder holds something else
 * @throws {ModelError} if the model cannot be read
 * @throws {TriptychError} if the worker cannot be bundled
 */
export async function build(name: RuntimeName, model: string, folder: string): Promise<Built> {
  const { entry, thread, platform, files, start }: Runtime = RUNTIMES[name];
  const names = fileNamesOf(await readModelFiles(model));
  await clear(folder);
  for (const room of ["worker", "wasm", MODEL]) await mkdir(join(folder, room), { recursive: true });
  await bundle(entry, platform, join(folder, "worker/main.js"));
  if (thread !== undefined) await bundle(thread, platform, join(folder, "worker/image_thread.js"));
  for (const asset of ASSETS) {
    const target = join(folder, "worker", asset);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join("worker", asset), target);
  }
  for (const [name, binary] of Object.entries(WASM_BINARIES)) {
    // Not every runtime lets the worker compile them, so it could not limit them itself.
    await writeFile(
      join(folder, `wasm/${name}.wasm`),
      limited(name as WasmBinary, new Uint8Array(await readFile(packageFile(binary)))),
    );
  }
  const kept = names.map((file) => `${MODEL}/${file}`);
  for (const path of kept) await copyFile(join(model, path.slice(MODEL.length)), join(folder, path));
  const signature = join(model, SIGNATURE_FILE);
  if (await isFile(signature)) await copyFile(signature, join(folder, MODEL, SIGNATURE_FILE));
  for (const [path, text] of Object.entries(files(kept))) await writeFile(join(folder, path), text);
  return { bytes: await sizeOf(folder), start };
}

/** Where the worker's default for `TRIPTYCH_MODEL` lies, seen from the folder. */
const MODEL = "samples/model";

/** Removes what was built before, and nothing else. */
async function clear(folder: string): Promise<void> {
  const names: string[] = await readdir(folder).catch(() => []);
  if (names.length > 0 && !(names.includes("wasm") && await isFile(join(folder, "worker/main.js")))) {
    throw new UsageError(`${folder} holds something else than a worker that was built; give an empty folder.`);
  }
  await rm(folder, { recursive: true, force: true });
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isFile(), () => false);
}

async function bundle(entry: string, platform: string, file: string): Promise<void> {
  const args = ["bundle", "--quiet", "--platform", platform, "--minify", "--output", file, entry];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, stderr: "piped" }).output();
  if (!success) throw new TriptychError(`deno bundle cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
  // What Emscripten made for Node asks for this when it starts, though it is given its binary.
  if (platform === "deno") {
    await writeFile(file, `const __dirname = import.meta.dirname;\n${await readFile(file, "utf8")}`);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => stat(join(parentPath, name)));
  return (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
