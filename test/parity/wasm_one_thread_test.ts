import { createWasmEngine } from "../../trainer/engines/wasm/mod.ts";
import { paritySuite } from "./parity.ts";

// The backend that runs is the one that the engine goes on with.
await createWasmEngine(1).start();
await paritySuite("wasm");
