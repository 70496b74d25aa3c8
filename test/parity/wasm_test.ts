import { paritySuite } from "./parity.ts";
import { soak } from "./soak.ts";

await paritySuite("wasm");
await soak("wasm", 2000);
