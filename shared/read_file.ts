/**
 * Reads a file, on every runtime that has files. Node's module is imported only then: a browser, which has none, loads what imports this too.
 *
 * @param path of the file, or its URL
 */
export async function readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path);
  // Small files share a buffer with others in Node.
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(bytes);
}
