import { packageFile } from "../../../shared/package_file.ts";

/**
 * What Emscripten's glue takes to run a binary of an npm package.
 *
 * @param binary package and path, as an import would name them
 */
export async function emscriptenOptions(binary: string) {
  const module = await WebAssembly.compile(await Deno.readFile(packageFile(binary)));
  return {
    noInitialRun: true,
    print: () => {},
    printErr: () => {},
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  };
}
