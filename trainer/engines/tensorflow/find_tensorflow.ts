import { join } from "node:path";
import { EngineMissing } from "../engine.ts";

/** A TensorFlow that a program can be compiled and linked against. */
export interface TensorFlow {
  /** Where its libraries lie, an absolute path. */
  libraries: string;
  /** The folder of its C headers, an absolute path. */
  include: string;
  /** Whether it was built to compute on NVIDIA GPUs. */
  cuda: boolean;
}

/** What the addon is linked with: the C API, and what it stands on. */
export const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
/** How a person gets a TensorFlow for GPUs, with CUDA. */
export const INSTALL_CUDA = 'install one for GPUs with pip install "tensorflow[and-cuda]"';

const INSTALL = 'install it with pip install "tensorflow[and-cuda]", or tensorflow-cpu where there is no NVIDIA GPU';
const HEADER = "tensorflow/c/eager/c_api.h";
/** Finds the package without importing it, which would take seconds. */
const LOCATE =
  "import importlib.util as u; s = u.find_spec('tensorflow'); print(s.submodule_search_locations[0] if s else '')";

/**
 * Finds the TensorFlow of a Python installation.
 *
 * @param given the package's folder, the folder that holds it, or a virtual environment; without it, that of the `python3` on
 * the path is taken
 * @throws {EngineMissing} if there is none, or it lacks libraries or headers
 */
export async function findTensorFlow(given?: string): Promise<TensorFlow> {
  if (given !== undefined) return await inspect(await packageIn(given));
  const located = await askPython();
  if (located === undefined) {
    throw new EngineMissing(
      `No TensorFlow is found by python3: ${INSTALL}, or say where it is with --tensorflow DIR.`,
    );
  }
  return await inspect(located);
}

/** The folder of the package `tensorflow` that a given folder is, or holds. */
async function packageIn(given: string): Promise<string> {
  const candidates = [given, join(given, "tensorflow")];
  for (const lib of ["lib", "lib64"]) {
    for (const name of await namesIn(join(given, lib))) {
      if (name.startsWith("python")) candidates.push(join(given, lib, name, "site-packages/tensorflow"));
    }
  }
  for (const folder of candidates) {
    if (await exists(join(folder, LIBRARIES[1]))) return await Deno.realPath(folder);
  }
  throw new EngineMissing(
    `${given} holds no TensorFlow: give the folder tensorflow/ of a Python package, with ${
      LIBRARIES[1]
    } in it, or ${INSTALL}.`,
  );
}

async function inspect(folder: string): Promise<TensorFlow> {
  const include = join(folder, "include");
  for (const library of LIBRARIES) {
    if (!await exists(join(folder, library))) {
      throw new EngineMissing(
        `The TensorFlow in ${folder} has no ${library}: it is for another system or too old; ${INSTALL}.`,
      );
    }
  }
  if (!await exists(join(include, HEADER))) {
    throw new EngineMissing(`The TensorFlow in ${folder} has no headers (include/${HEADER}): ${INSTALL}.`);
  }
  return { libraries: folder, include, cuda: await isCudaBuild(folder) };
}

async function isCudaBuild(folder: string): Promise<boolean> {
  const facts = await Deno.readTextFile(join(folder, "python/platform/build_info.py")).catch(() => "");
  return /'is_cuda_build', True/.test(facts);
}

async function askPython(): Promise<string | undefined> {
  for (const python of ["python3", "python"]) {
    try {
      const { stdout } = await new Deno.Command(python, { args: ["-c", LOCATE], stderr: "null" }).output();
      const folder = new TextDecoder().decode(stdout).trim();
      if (folder !== "") return folder;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder)).catch(() => [])).map((entry) => entry.name);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
