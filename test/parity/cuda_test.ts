import { paritySuite } from "./parity.ts";

await paritySuite("cuda");
