import "uplot";
import { createHash } from "node:crypto";
import { packageFile } from "../../shared/package_file.ts";

/** The page's own program, in an order in which every part comes after those that it uses. */
const PARTS = [
  "dom",
  "summary",
  "curves",
  "distances",
  "map_input",
  "embedding_map",
  "confusions",
  "identities",
  "card",
  "main",
];

/**
 * A page that shows a content, with all styles, scripts and data in it. Its content security policy forbids to load anything.
 *
 * @param content what the page's program finds as JSON; texts in it may hold anything
 */
export async function renderPage(title: string, content: unknown): Promise<string> {
  const text = (specifier: string) => Deno.readTextFile(packageFile(specifier));
  const part = (name: string) => Deno.readTextFile(new URL(`page/${name}`, import.meta.url));
  const styles = [await text("uplot/dist/uPlot.min.css"), await part("style.css")];
  const program = await Promise.all(PARTS.map((name) => part(`${name}.js`)));
  const scripts = [await text("uplot/dist/uPlot.iife.min.js"), joinModules(program)];
  const hashes = (texts: string[]) => texts.map((text) => `'${sha256Source(text)}'`).join(" ");
  const policy = `default-src 'none'; img-src data:; style-src ${hashes(styles)}; script-src ${
    hashes(scripts)
  }; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}: Triptych report</title>
<link rel="icon" href="data:,">
${styles.map((style) => `<style>${style}</style>`).join("\n")}
</head>
<body>
<noscript><p>This report draws itself with JavaScript, which is switched off here.</p></noscript>
<script type="application/json" id="content">${escapeJson(content)}</script>
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`;
}

/**
 * Modules as one classic script, since a page on a disk can import nothing: each in a function of its own that returns the
 * functions which it exports. What it imports, a module before it has exported.
 */
function joinModules(modules: string[]): string {
  const parts = modules.map((module) => {
    const names = [...module.matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
    const body = module.replaceAll(/^import [^;]*;\n/gm, "").replaceAll(/^export /gm, "");
    return `const { ${names.join(", ")} } = (() => {\n${body}\nreturn { ${names.join(", ")} };\n})();\n`;
  });
  return `"use strict";\n{\n${parts.join("")}}\n`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** JSON within which no tag can begin or end. */
function escapeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

function sha256Source(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
