/**
 * Reads a file, on every runtime that has files. Node's module is imported only then: a browser, which has none, loads what imports this too.
 *
 * @param path of the file, or its URL
 */
export async function readFile(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  return new Uint8Array(await readFile(path));
}
