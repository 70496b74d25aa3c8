import { readFile } from "node:fs/promises";

const NAMES = ["camera.js", "dom.js", "gallery.js", "main.js", "map.js", "matches.js", "scale.js", "worker.js"];

/** The playground's program by file name: modules as the browser runs them. */
export const MODULES: ReadonlyMap<string, string> = new Map(
  await Promise.all(
    NAMES.map(async (name) => [name, await readFile(new URL(name, import.meta.url), "utf8")] as const),
  ),
);
