import assert from "node:assert/strict";
import { compileKernels } from "../../../../scripts/build_kernels.ts";

const KERNELS = new URL("../../../../shared/kernels/", import.meta.url);

Deno.test("the kernels in the repository are what their sources compile to, bit for bit", async () => {
  const binaries = await compileKernels();
  const names = (await Array.fromAsync(Deno.readDir(KERNELS))).map(({ name }) => name);
  assert.deepEqual([...binaries.keys()].sort(), names.filter((name) => name.endsWith(".wasm")).sort());
  for (const [name, binary] of binaries) {
    assert.deepEqual(await Deno.readFile(new URL(name, KERNELS)), binary, `${name}: run deno task build`);
  }
});
