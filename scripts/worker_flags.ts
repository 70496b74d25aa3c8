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
const PORTS: Record<string, string> = { "http:": "80", "https:": "443", "postgres:": "5432", "postgresql:": "5432" };

/**
 * The flags of `deno run` for a worker with these settings. It may read its model, its keys, its own files and the packages,
 * read and write the folders of its gallery and its audit log, listen at its address, call the hosts of the URLs among its
 * settings, and see its own variables. It may start no process, load no library and fetch no code.
 *
 * @throws {UsageError} if a setting is not right, or a path has a comma, which parts paths for Deno
 */
export function workerFlags(environment: Parameters<typeof readConfig>[0]): string[] {
  const config = readConfig(environment);
  const { model, audit } = config;
  const gallery = reachOf(config.gallery);
  const places = [model, keyFilePath(environment.TRIPTYCH_KEYS ?? ""), ...gallery.read].filter((place) =>
    place !== null
  );
  const folders = [...gallery.changed, audit].filter((file) => file !== undefined).map((file) => dirname(pathOf(file)));
  const urls = [...places, ...gallery.called].filter(isUrl);
  const read = places.filter((place) => !isUrl(place)).map(pathOf);
  return [
    ...["--no-prompt", "--cached-only", "--no-remote", "--deny-import"],
    ...allow("read", [...OWN, packageFolder(), ...read, ...folders]),
    ...allow("write", folders),
    `--deny-write=${OWN}`,
    ...allow("net", [`${hostnameFor(config)}:${config.port}`, ...urls.map(hostOf)]),
    ...allow("env", [...VARIABLES, ...config.gallery.kind === "postgres" ? [POSTGRES_VARIABLES] : []]),
  ];
}

/** Those that the driver looks for, as all of Postgres's clients do. */
const POSTGRES_VARIABLES = "PG*";

/** What a gallery reads, what it changes, with files beside, and what it calls. */
interface Reach {
  read: string[];
  changed: string[];
  called: string[];
}

function reachOf(gallery: Config["gallery"]): Reach {
  const reach: Reach = { read: [], changed: [], called: [] };
  switch (gallery.kind) {
    case "snapshot":
      return { ...reach, read: [gallery.location] };
    case "sqlite":
      return { ...reach, changed: [gallery.path, gallery.former ?? gallery.path] };
    case "kv":
      return { ...reach, changed: gallery.path === undefined ? [] : [gallery.path] };
    case "postgres":
      return { ...reach, called: [gallery.url, ...gallery.replicas] };
    case "memory":
      return reach;
  }
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

function isUrl(place: string): boolean {
  return /^(https?|postgres(ql)?):/i.test(place);
}

function pathOf(place: string | URL): string {
  return String(place).startsWith("file:") ? fileURLToPath(place) : resolve(String(place));
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || PORTS[protocol]}`;
}
