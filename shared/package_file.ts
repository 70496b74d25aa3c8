/**
 * Where a file of an npm package lies on disk, such as a WebAssembly binary. The package must be imported somewhere, or
 * it is not installed.
 *
 * @param specifier package and path, as an import would name them
 */
export function packageFile(specifier: string): URL {
  return new URL(import.meta.resolve(specifier));
}
