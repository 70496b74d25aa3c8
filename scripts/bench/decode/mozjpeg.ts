import initMozJpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import type { Image } from "../../../shared/image/mod.ts";
import { emscriptenOptions } from "./emscripten.ts";

const options = await emscriptenOptions("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");

/** Decodes a JPEG with MozJPEG, at its full size and as it is stored. */
export async function decodeWithMozJpeg(bytes: Uint8Array): Promise<Image> {
  // The glue makes the codec of the object that it is given.
  const codec = await initMozJpeg({ ...options });
  return codec.decode(bytes.slice().buffer, false);
}
