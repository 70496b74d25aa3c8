/**
 * The thread that embeds, with decoders that stand for hostile files: at a JPEG it computes for a second or more, at a WebP it
 * breaks off. PNG is decoded as ever.
 *
 * @module
 */
import { packageFile } from "../../shared/package_file.ts";
import { readFile } from "../../shared/read_file.ts";
import { takeWasmFrom, WASM_BINARIES } from "../../shared/wasm_modules.ts";
import "../../worker/image_thread.ts";

const text = (name: string) => [name.length, ...new TextEncoder().encode(name)];
const section = (id: number, ...content: number[]) => [id, content.length, ...content];

/** A decoder that counts down from 2^30 before it fails. */
const SLOW = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Types: one, () -> i32. Functions: one of it. Memories: one of a page.
  ...section(1, 1, 0x60, 0, 1, 0x7f),
  ...section(3, 1, 0),
  ...section(5, 1, 0, 1),
  ...section(7, 2, ...text("tjInitDecompress"), 0, 0, ...text("memory"), 2, 0),
  ...section(
    10,
    ...[1, 28, 1, 1, 0x7e],
    // (local.set 0 (i64.const 2^30)) (loop (br_if 0 (i32.eqz (i64.eqz (local.tee 0 (i64.sub (local.get 0) 1)))))) (i32.const 0)
    ...[0x42, 0x80, 0x80, 0x80, 0x80, 0x04, 0x21, 0],
    ...[0x03, 0x40, 0x20, 0, 0x42, 1, 0x7d, 0x22, 0, 0x50, 0x45, 0x0d, 0, 0x0b],
    ...[0x41, 0, 0x0b],
  ),
]);

takeWasmFrom((name) => {
  if (name === "jpeg") return Promise.resolve(SLOW);
  if (name !== "webp") return readFile(packageFile(WASM_BINARIES[name]));
  setTimeout(() => {
    throw new Error("the decoder broke off");
  });
  return new Promise(() => {});
});
