/**
 * tfjs in a browser: what the worker serves as `/client/tfjs.js`, for a model that no plan can be made of.
 *
 * @module
 */
export { takeWasmFrom } from "../../shared/wasm_modules.ts";
export { createTfjsEmbedder } from "../embedder/tfjs.ts";
