import { paritySuite } from "./parity.ts";
import { soak } from "./soak.ts";

await paritySuite("webgpu");
// In software, as in CI, a step takes a tenth of a second: SOAK_STEPS=2000 is for a GPU, or for patience.
await soak("webgpu", 200);
