import { stat } from "node:fs/promises";
import { packageFile } from "../../../shared/package_file.ts";
import { WASM_BINARIES } from "../../../shared/wasm_modules.ts";

/** What each engine needs beside the model: a module that is bundled, and a binary. */
const PARTS: Readonly<Record<string, { module: string; binary: keyof typeof WASM_BINARIES }>> = {
  "plan": { module: "worker/embedder/plan/plan.ts", binary: "kernelsRelaxed" },
  "plan-plain": { module: "worker/embedder/plan/plan.ts", binary: "kernels" },
  "plan-int8": { module: "worker/embedder/plan/int8/plan.ts", binary: "kernelsRelaxed" },
  "plan-int8-plain": { module: "worker/embedder/plan/int8/plan.ts", binary: "kernels" },
  "tfjs": { module: "worker/client/tfjs.ts", binary: "tfjs" },
};

/** Bytes of code that an engine needs, minified JavaScript and WebAssembly. @returns undefined for those that are not ours to bundle */
export async function shippedBytes(engine: string): Promise<number | undefined> {
  const parts = PARTS[engine];
  if (parts === undefined) return undefined;
  const bundle = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const args = ["bundle", "--quiet", "--platform", "browser", "--minify", "--output", bundle, parts.module];
    await new Deno.Command(Deno.execPath(), { args }).output();
    const sizes = await Promise.all([bundle, packageFile(WASM_BINARIES[parts.binary])].map((path) => stat(path)));
    return sizes.reduce((sum, { size }) => sum + size, 0);
  } finally {
    await Deno.remove(bundle);
  }
}
