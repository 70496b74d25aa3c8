/**
 * Refuses imports that go against the house: `shared/` imports nothing of the project, `trainer/` and `worker/` import
 * `shared/` alone, and no files import each other in a circle.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { typescriptFiles } from "./typescript_files.ts";

const ALLOWED: Record<string, string[]> = {
  shared: ["shared"],
  trainer: ["trainer", "shared"],
  worker: ["worker", "shared"],
};
const IMPORT = /(?:^|\s)(?:import|export)\s[^;]*?from\s+"(\.[^"]+)"|import\s*\(?\s*"(\.[^"]+)"/g;
const TYPE_ONLY = /^\s*(?:import|export)\s+type\s/;

const root = Deno.cwd();
const graph = new Map<string, string[]>();
const faults: string[] = [];
for (const room of Object.keys(ALLOWED)) {
  for (const file of await typescriptFiles(join(root, room))) {
    const name = relative(root, file);
    const imports = await importsOf(file);
    graph.set(name, imports.filter((to) => !to.typeOnly).map((to) => to.name));
    for (const to of imports) {
      const target = to.name.split("/")[0];
      if (!ALLOWED[room].includes(target)) {
        faults.push(`${name} imports ${to.name}: ${room}/ may not import ${target}/.`);
      }
    }
  }
}
for (const cycle of cyclesOf(graph)) faults.push(`These files import each other in a circle: ${cycle.join(" > ")}.`);
faults.forEach((fault) => console.error(fault));
console.log(
  `Checked the imports of ${graph.size} files: ${faults.length === 0 ? "all go one way" : `${faults.length} do not`}.`,
);
if (faults.length > 0) Deno.exit(1);

async function importsOf(file: string): Promise<{ name: string; typeOnly: boolean }[]> {
  const text = await Deno.readTextFile(file);
  return [...text.matchAll(IMPORT)].map((match) => ({
    name: relative(root, join(dirname(file), match[1] ?? match[2])),
    typeOnly: TYPE_ONLY.test(match[0].trim()),
  }));
}

/** One path for each circle that a depth-first walk runs into. */
function cyclesOf(graph: Map<string, string[]>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (file: string, path: string[]) => {
    const seen = path.indexOf(file);
    if (seen >= 0) cycles.push([...path.slice(seen), file]);
    if (seen >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return cycles;
}
