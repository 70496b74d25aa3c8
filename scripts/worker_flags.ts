import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../shared/errors.ts";
import { type Config, hostnameFor, readConfig, VARIABLES } from "../worker/config.ts";
import { keyFilePath } from "../worker/keys/key_source.ts";

/** What the worker is made of, which it reads and nobody may change. */
const OWN = ["worker", "shared", "deno.json", "deno.lock"].map((name) =>
  pathOf(new URL(`../${name}`, import.meta.url))
);

/** The ports that a URL need not name. */
const PORTS: Record<string, string> = { "http:": "80", "https:": "443" };

/**
 * The flags of `deno run` for a worker with these settings. It may read its model, its keys, its own files and the packages,
 * read and write the folders of its gallery and its audit log, listen at its address, call the hosts of the URLs among its
 * settings, and see its own variables. It may start no process, load no library and fetch no code.
 *
 * @throws {UsageError} if a setting is not right, or a path has a comma, which parts paths for Deno
 */
export function workerFlags(environment: Parameters<typeof readConfig>[0]): string[] {
  const config = readConfig(environment);
  const { model, gallery } = config;
  const snapshot = gallery.kind === "snapshot" ? gallery.location : "";
  const named = [model, snapshot, keyFilePath(environment.TRIPTYCH_KEYS ?? "") ?? ""].filter((place) => place !== "");
  const isUrl = (place: string) => /^https?:/i.test(place);
  const changed = changedFolders(config);
  return [
    ...["--no-prompt", "--cached-only", "--no-remote", "--deny-import"],
    ...allow("read", [...OWN, packageFolder(), ...named.filter((place) => !isUrl(place)), ...changed].map(pathOf)),
    ...allow("write", changed.map(pathOf)),
    `--deny-write=${OWN}`,
    ...allow("net", [`${hostnameFor(config)}:${config.port}`, ...named.filter(isUrl).map(hostOf)]),
    ...allow("env", VARIABLES),
  ];
}

/** SQLite writes beside its file, and both are made with their folder. */
function changedFolders({ gallery, audit }: Config): string[] {
  const database = gallery.kind === "sqlite" ? [gallery.path, gallery.former] : [];
  return [...database, audit].filter((file) => file !== undefined).map(dirname);
}

/** Where the packages lie, of which the worker reads WebAssembly binaries: any of them tells. */
function packageFolder(): string {
  return pathOf(import.meta.resolve("zod")).replace(/([\\/]npm)[\\/].*$/, "$1");
}

function allow(what: string, items: readonly string[]): string[] {
  const torn = items.find((item) => item.includes(","));
  if (torn !== undefined) {
    throw new UsageError(`${torn} has a comma in it, which parts paths for Deno; name it otherwise.`);
  }
  return items.length === 0 ? [] : [`--allow-${what}=${[...new Set(items)]}`];
}

function pathOf(place: string | URL): string {
  return String(place).startsWith("file:") ? fileURLToPath(place) : resolve(String(place));
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || PORTS[protocol]}`;
}
