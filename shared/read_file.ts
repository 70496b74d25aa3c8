/**
 * Reads a file, on every runtime that has files. Node's module is imported only then: a browser, which has none, loads what imports this too.
 *
 * @param path of the file, or its URL
 */
export async function readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  if ("Deno" in globalThis) return await readOnDeno(path);
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path);
  // Small files share a buffer with others in Node.
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}

/** Node's modules take as long to load there as a network to embed, and `Deno.readFile` lets its buffer grow: twice as long. */
async function readOnDeno(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.open(path);
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    let length = 0;
    while (length < bytes.length) {
      const read = await file.read(bytes.subarray(length));
      if (read === null) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    file.close();
  }
}
