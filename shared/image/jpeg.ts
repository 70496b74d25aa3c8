// Imported only so that the package, whose binary is used without its glue, is among those installed.
import "@cwasm/jpeg-turbo/package.json" with { type: "json" };
import type { Image } from "./image.ts";

/** By what a JPEG's sides may be divided while it is decoded: its blocks are 8 x 8 pixels. */
export const JPEG_DIVISORS = [1, 2, 4, 8] as const;

/** What we call of libjpeg-turbo's TurboJPEG interface, version 2.0 (`turbojpeg.h`); pointers and counts of bytes are numbers. */
interface TurboJpeg {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  tjInitDecompress(): number;
  tjDecompressHeader3(
    handle: number,
    jpeg: number,
    bytes: number,
    width: number,
    height: number,
    subsampling: number,
    colorspace: number,
  ): number;
  tjDecompress2(
    handle: number,
    jpeg: number,
    bytes: number,
    pixels: number,
    width: number,
    rowBytes: number,
    height: number,
    format: number,
    flags: number,
  ): number;
}

const RGBA = 7;

/**
 * Decodes a JPEG with libjpeg-turbo, to `1 / divisor` of its size, sides rounded up: of each block only the frequencies
 * that remain visible then are transformed, so a smaller image takes less time.
 *
 * Data that is damaged but can be gone over gives an image, as in other decoders.
 *
 * @param module libjpeg-turbo's. An instance that met hostile bytes may be left in any state, so each call has its own.
 * @param size the image's as its header says, pixels
 * @throws {Error} if it cannot be decoded, or has another size
 */
export function decodeJpeg(
  module: WebAssembly.Module,
  bytes: Uint8Array,
  size: { width: number; height: number },
  divisor: number,
): Image {
  const turbo = instantiate(module);
  const handle = turbo.tjInitDecompress();
  const jpeg = allocate(turbo, bytes.length), facts = allocate(turbo, 16);
  new Uint8Array(turbo.memory.buffer).set(bytes, jpeg);
  turbo.tjDecompressHeader3(handle, jpeg, bytes.length, facts, facts + 4, facts + 8, facts + 12);
  const [fullWidth, fullHeight] = new Int32Array(turbo.memory.buffer, facts, 2);
  if (fullWidth !== size.width || fullHeight !== size.height) throw new Error("the JPEG has two sizes");
  const width = Math.ceil(fullWidth / divisor), height = Math.ceil(fullHeight / divisor);
  const pixels = allocate(turbo, 4 * width * height);
  // What it returns tells of damage that it went over; what it cannot decode it leaves by longjmp.
  turbo.tjDecompress2(handle, jpeg, bytes.length, pixels, width, 4 * width, height, RGBA, 0);
  return { width, height, data: new Uint8ClampedArray(turbo.memory.buffer, pixels, 4 * width * height).slice() };
}

function instantiate(module: WebAssembly.Module): TurboJpeg {
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = HARMLESS.has(name) ? () => 0 : () => {
      throw new Error(`the JPEG codec called ${name}`);
    };
  }
  return new WebAssembly.Instance(module, imports).exports as unknown as TurboJpeg;
}

/** It may mark where it would return to after a failure, and look for variables of the environment: there are none. */
const HARMLESS = new Set(["setjmp", "environ_sizes_get"]);

function allocate(turbo: TurboJpeg, bytes: number): number {
  const pointer = turbo.malloc(bytes) >>> 0;
  if (pointer === 0) throw new Error("the JPEG codec is out of memory");
  return pointer;
}
