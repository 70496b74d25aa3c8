import { EngineMissing } from "../engine.ts";

/** One C++ compilation, from sources to a shared library. */
export interface Compilation {
  sources: string[];
  include: string[];
  /** Preprocessor definitions, `NAME` or `NAME=VALUE`. */
  define: string[];
  /** The folder of the libraries to link with, where they are looked for at run time, too. */
  libraryFolder: string;
  /** File names in `libraryFolder`. */
  libraries: string[];
  output: string;
}

/**
 * The C++ compiler of this machine: the one that `CXX` names, or the first of g++, clang++ and c++.
 *
 * @throws {EngineMissing} if there is none
 */
export async function findCompiler(named = Deno.env.get("CXX")): Promise<string> {
  for (const compiler of named ? [named] : ["g++", "clang++", "c++"]) {
    if (await runs(compiler)) return compiler;
  }
  throw new EngineMissing(
    named
      ? `The C++ compiler ${named}, which CXX names, does not run: install it, or set CXX to another.`
      : "There is no C++ compiler: install one with apt-get install g++ (or dnf install gcc-c++), or name one in CXX.",
  );
}

/** The compiler's arguments, for g++ and clang++ alike. */
export function compilerArguments(job: Compilation): string[] {
  return [
    ...["-O2", "-std=c++17", "-fPIC", "-shared", "-w"],
    ...job.define.map((definition) => `-D${definition}`),
    ...job.include.map((folder) => `-I${folder}`),
    ...job.sources,
    ...["-o", job.output, `-L${job.libraryFolder}`],
    ...job.libraries.map((library) => `-l:${library}`),
    `-Wl,-rpath,${job.libraryFolder}`,
  ];
}

/**
 * Compiles and links a shared library.
 *
 * @throws {EngineMissing} with the compiler's first error
 */
export async function compile(compiler: string, job: Compilation): Promise<void> {
  const { success, stderr } = await new Deno.Command(compiler, { args: compilerArguments(job) }).output();
  if (success) return;
  const lines = new TextDecoder().decode(stderr).split("\n");
  const fault = lines.find((line) => /error|undefined reference|cannot find/i.test(line)) ?? lines[0];
  throw new EngineMissing(
    `${compiler} cannot compile the engine: ${fault.trim()}; take another compiler with CXX, or another TensorFlow with --tensorflow DIR.`,
  );
}

async function runs(compiler: string): Promise<boolean> {
  try {
    return (await new Deno.Command(compiler, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
