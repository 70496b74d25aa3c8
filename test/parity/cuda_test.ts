import { paritySuite } from "./parity.ts";
import { soak } from "./soak.ts";

await paritySuite("cuda");
await soak("cuda", 2000);
