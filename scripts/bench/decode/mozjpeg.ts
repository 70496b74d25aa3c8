import initMozJpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import { emscriptenOptions } from "../../../shared/image/codecs.ts";
import type { Image } from "../../../shared/image/mod.ts";
import { packageFile } from "../../../shared/package_file.ts";

const module = await WebAssembly.compile(await Deno.readFile(packageFile("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm")));

/** Decodes a JPEG with MozJPEG, at its full size and as it is stored. */
export async function decodeWithMozJpeg(bytes: Uint8Array): Promise<Image> {
  const codec = await initMozJpeg(emscriptenOptions(module));
  return codec.decode(bytes.slice().buffer, false);
}
