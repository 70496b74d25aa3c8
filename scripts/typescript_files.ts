import { join } from "node:path";

/** The folders that hold the product. */
export const ROOMS = ["shared", "trainer", "worker"];

/** Every TypeScript file in a folder and those below it, in order. */
export async function typescriptFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) found.push(...await typescriptFiles(path));
    else if (path.endsWith(".ts")) found.push(path);
  }
  return found.sort();
}
