import { paritySuite } from "./parity.ts";
import { soak } from "./soak.ts";

await paritySuite("webgpu");
// In software, as in CI, a step takes a tenth of a second.
await soak("webgpu", 100);
