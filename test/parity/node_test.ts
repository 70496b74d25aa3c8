import { paritySuite } from "./parity.ts";
import { soak } from "./soak.ts";

await paritySuite("node");
await soak("node", 2000);
