let folder: URL | undefined;

/**
 * Where a file of an npm package lies, such as a WebAssembly binary. The package must be imported somewhere, or it is
 * not installed.
 *
 * @param specifier package and path, as an import would name them
 */
export function packageFile(specifier: string): URL {
  if (folder === undefined) return new URL(import.meta.resolve(specifier));
  return new URL(specifier.slice(specifier.lastIndexOf("/") + 1), folder);
}

/** Reads a file of an npm package. */
export async function readPackageFile(specifier: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = packageFile(specifier);
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * For where no packages are installed, as in a browser: their files are to be fetched from one folder, each by its own
 * name alone.
 */
export function fetchPackageFilesFrom(url: URL): void {
  folder = url;
}
