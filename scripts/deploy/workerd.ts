import type { VARIABLES } from "../../worker/config.ts";
import { WASM_BINARIES } from "../../shared/wasm_modules.ts";
import { ASSETS } from "../../worker/assets.ts";

/**
 * The module that imports all that workerd cannot read by itself, and the configuration that names these files.
 *
 * @param model the paths of the model's files
 */
export function workerdFiles(model: string[]): Record<string, string> {
  return { "main.js": mainModule(model), "config.capnp": configuration(model) };
}

const BINARIES = Object.keys(WASM_BINARIES).map((name) => ({ name, path: `wasm/${name}.wasm` }));

/** Behind the name of a file, where it is imported as it is. */
const BYTES = ".bytes";

/** workerd listens itself, and has no files. */
const SETTINGS = ["TRIPTYCH_KEYS", "TRIPTYCH_CORS_ORIGINS", "TRIPTYCH_MAX_BODY", "TRIPTYCH_QUEUE"] satisfies Variable[];
type Variable = typeof VARIABLES[number];

function mainModule(model: string[]): string {
  const name = (path: string) => JSON.stringify(path.split("/").at(-1));
  return [
    `import { createHandler } from "./worker/main.js";`,
    ...BINARIES.flatMap(({ name, path }) => [
      `import ${name} from "./${path}";`,
      `import ${name}Bytes from "./${path}${BYTES}";`,
    ]),
    ...ASSETS.map((path, i) => `import asset${i} from "./worker/${path}${BYTES}";`),
    ...model.map((path, i) => `import file${i} from "./${path}";`),
    `const wasm = { ${BINARIES.map(({ name }) => name).join(", ")} };`,
    `const binaries = { ${BINARIES.map(({ name }) => `${name}: ${name}Bytes`).join(", ")} };`,
    `const assets = { ${ASSETS.map((path, i) => `"${path}": asset${i}`).join(", ")} };`,
    `const model = { ${model.map((path, i) => `${name(path)}: file${i}`).join(", ")} };`,
    `export default createHandler({ wasm, binaries, assets, model });`,
    ``,
  ].join("\n");
}

/** Its parts are of workerd's `workerd.capnp`. */
function configuration(model: string[]): string {
  const modules = [
    { path: "main.js", kind: "esModule" },
    { path: "worker/main.js", kind: "esModule" },
    ...BINARIES.map(({ path }) => ({ path, kind: "wasm" })),
    ...model.map((path) => ({ path, kind: path.endsWith(".json") ? "json" : "data" })),
  ];
  const handedOn = [...BINARIES.map(({ path }) => path), ...ASSETS.map((path) => `worker/${path}`)];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "triptych", worker = .triptych)],
  sockets = [(name = "http", address = "127.0.0.1:8000", http = (), service = "triptych")],
);

const triptych :Workerd.Worker = (
  modules = [
${modules.map(({ path, kind }) => `    (name = "${path}", ${kind} = embed "${path}"),`).join("\n")}
${handedOn.map((path) => `    (name = "${path}${BYTES}", data = embed "${path}"),`).join("\n")}
  ],
  bindings = [
${SETTINGS.map((name) => `    (name = "${name}", fromEnvironment = "${name}"),`).join("\n")}
  ],
  compatibilityDate = "2025-05-01",
  compatibilityFlags = ["nodejs_compat"],
);
`;
}
