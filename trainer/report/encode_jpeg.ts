import initJpegEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
import type { Image } from "../../shared/image/mod.ts";
import { packageFile } from "../../shared/package_file.ts";

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Encodes an image as JPEG, with MozJPEG. Its transparency is ignored.
 *
 * @param quality 0 to 100
 * @param progressive false for the baseline format that cameras write
 */
export async function encodeJpeg(image: Image, quality: number, progressive = true): Promise<Uint8Array<ArrayBuffer>> {
  compiled ??= Deno.readFile(packageFile("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm")).then((bytes) =>
    WebAssembly.compile(bytes)
  );
  const binary = await compiled;
  const encoder = await initJpegEncoder({
    noInitialRun: true,
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(binary, imports);
      done(instance);
      return instance.exports;
    },
  });
  const options = { ...defaultOptions, quality, chroma_quality: quality, progressive, baseline: !progressive };
  return new Uint8Array(encoder.encode(image.data as unknown as BufferSource, image.width, image.height, options));
}
