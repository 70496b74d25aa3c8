/**
 * Takes WebAssembly from where `deno task deploy --runtime node` puts it, beside the folder of the bundle that imports this.
 *
 * @module
 */
import { readFile } from "../shared/read_file.ts";
import { takeWasmFrom } from "../shared/wasm_modules.ts";

takeWasmFrom((name) => readFile(new URL(`../wasm/${name}.wasm`, import.meta.url)));
