/**
 * Refuses what is exported without a docstring.
 *
 * @module
 */
import { ROOMS, typescriptFiles } from "./typescript_files.ts";

const EXPORT = /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|const|enum) (\w+)/;

const faults: string[] = [];
let count = 0;
for (const file of (await Promise.all(ROOMS.map(typescriptFiles))).flat()) {
  const lines = (await Deno.readTextFile(file)).split("\n");
  lines.forEach((line, i) => {
    const name = EXPORT.exec(line)?.[1];
    if (name === undefined) return;
    count++;
    // A schema and the type that is inferred from it share a name and a docstring.
    const above = lines.slice(0, i).findLast((line) => !line.startsWith("@"));
    const documented = above?.trimEnd().endsWith("*/") ||
      lines.slice(0, i).some((before) => EXPORT.exec(before)?.[1] === name);
    if (!documented) {
      faults.push(`${file}:${i + 1} exports ${name} without a docstring: say what it does, its shapes and its errors.`);
    }
  });
}
faults.forEach((fault) => console.error(fault));
console.log(
  `Checked the docstrings of ${count} exports: ${
    faults.length === 0 ? "all are there" : `${faults.length} are missing`
  }.`,
);
if (faults.length > 0) Deno.exit(1);
