import initJpegEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
// Imported only so that the package, whose binary is read below, is among those installed.
import "@jsquash/png/codec/pkg/squoosh_png.js";
import initWebpDecoder from "@jsquash/webp/codec/dec/webp_dec.js";
import { wasmModule } from "../wasm_modules.ts";
import type { ImageFormat } from "./header.ts";
import type { Image } from "./image.ts";
import { decodeJpeg } from "./jpeg.ts";
import { essentialPng } from "./png_chunks.ts";

/**
 * Decodes the whole of an image file to RGBA, or fails in whatever way the codec fails.
 *
 * @param size the image's, pixels
 * @param divisor by what its sides are divided: 1 but for JPEG
 */
export type Codec = (
  bytes: Uint8Array,
  size: { width: number; height: number },
  divisor: number,
) => Promise<Image | null>;

/**
 * The decoders, each a fresh WebAssembly instance per call over a module that is compiled once. A codec that met hostile
 * bytes may be left in any state, so none is used twice.
 */
export const CODECS: Record<ImageFormat, Codec> = {
  jpeg: async (bytes, size, divisor) => decodeJpeg(await wasmModule("jpeg"), bytes, size, divisor),
  webp: async (bytes) => {
    const codec = await initWebpDecoder(emscriptenOptions(await wasmModule("webp")));
    // It reads a buffer from its first byte to its last.
    return codec.decode(bytes.slice().buffer) as Image | null;
  },
  png: async (bytes) => decodePng(await wasmModule("png"), await essentialPng(bytes)),
};

/**
 * Encodes 8-bit RGBA as PNG.
 *
 * @param data `[height, width, 4]`
 */
export async function encodeRgbaPng(data: Uint8Array, width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  const { exports } = instantiatePng(await wasmModule("png"), () => 0);
  const result = exports.__wbindgen_add_to_stack_pointer(-16);
  exports.encode(result, copyIn(exports, data), data.length, width, height, 8);
  const [offset, length] = new Int32Array(exports.memory.buffer, result, 2);
  return new Uint8Array(exports.memory.buffer, offset, length).slice();
}

/**
 * Encodes an image as JPEG, with MozJPEG. Its transparency is ignored.
 *
 * @param quality 0 to 100
 * @param progressive false for the baseline format that cameras write
 */
export async function encodeJpeg(image: Image, quality: number, progressive = true): Promise<Uint8Array<ArrayBuffer>> {
  const codec = await initJpegEncoder(emscriptenOptions(await wasmModule("jpegEncoder")));
  const options = { ...defaultOptions, quality, chroma_quality: quality, progressive, baseline: !progressive };
  return new Uint8Array(codec.encode(image.data as unknown as BufferSource, image.width, image.height, options));
}

/** Emscripten's `Module`, as far as we set it. */
export interface EmscriptenOptions {
  noInitialRun: boolean;
  print: () => void;
  printErr: () => void;
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}

/** What Emscripten's glue takes to instantiate a module; it makes the codec of the object, which is therefore used once. */
export function emscriptenOptions(module: WebAssembly.Module): EmscriptenOptions {
  return {
    noInitialRun: true,
    print: () => {},
    printErr: () => {},
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  };
}

/** What we call of the binary that wasm-bindgen made of the Rust PNG codec. */
interface PngExports {
  memory: WebAssembly.Memory;
  decode(offset: number, length: number): number;
  encode(result: number, offset: number, length: number, width: number, height: number, bitDepth: number): void;
  __wbindgen_malloc(length: number, align: number): number;
  __wbindgen_add_to_stack_pointer(bytes: number): number;
}

function decodePng(module: WebAssembly.Module, bytes: Uint8Array): Image | null {
  let image: Image | null = null;
  const { exports } = instantiatePng(module, (offset, length, width, height) => {
    image = { width, height, data: new Uint8ClampedArray(exports.memory.buffer, offset, length).slice() };
    return 0;
  });
  exports.decode(copyIn(exports, bytes), bytes.length);
  return image;
}

/**
 * The package's own glue keeps one instance for good, so the binary is instantiated here.
 *
 * @param onImage is called with the decoded pixels: where the glue would make an `ImageData`
 */
function instantiatePng(
  module: WebAssembly.Module,
  onImage: (offset: number, length: number, width: number, height: number) => number,
): { exports: PngExports } {
  const unreachable = (name: string) => () => {
    throw new Error(`the PNG codec called ${name}`);
  };
  const wbg = Object.fromEntries(
    WebAssembly.Module.imports(module).map(({ name }) => [
      name,
      name.startsWith("__wbg_newwithownedu8clampedarray") ? onImage : unreachable(name),
    ]),
  );
  return { exports: new WebAssembly.Instance(module, { wbg }).exports as unknown as PngExports };
}

function copyIn(exports: PngExports, bytes: Uint8Array): number {
  const offset = exports.__wbindgen_malloc(bytes.length, 1) >>> 0;
  new Uint8Array(exports.memory.buffer).set(bytes, offset);
  return offset;
}
