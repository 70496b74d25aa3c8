/**
 * The entry of a thread on Node.
 *
 * @module
 */
import "./node_wasm.ts";
import "./image_thread.ts";
