import { readModelFiles } from "../../../../../shared/model_files.ts";
import { useWasmBackend } from "../../../../../shared/tfjs_wasm.ts";
import { assertAgreesWithTfjs } from "./support.ts";

await useWasmBackend();
const { card, face } = await readModelFiles("samples/face-model");

for (const name of ["detector", "refiner", "landmarks"] as const) {
  Deno.test(`a plan of the bundled ${name} agrees with tfjs`, async () => {
    const { size } = card.face![name];
    await assertAgreesWithTfjs(face![name], [size, size, 3], name, "wasm");
  });
}
