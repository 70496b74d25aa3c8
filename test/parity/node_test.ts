import { paritySuite } from "./parity.ts";

await paritySuite("node");
