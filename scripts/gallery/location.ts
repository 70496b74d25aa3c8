import type { Card } from "../../shared/card.ts";
import { GalleryError, UsageError } from "../../shared/errors.ts";
import { readModelFiles } from "../../shared/model_files.ts";
import { type Config, readConfig, VARIABLES } from "../../worker/config.ts";
import type { Gallery } from "../../worker/gallery/gallery.ts";
import { openGallery } from "../../worker/gallery/open.ts";

/** A gallery that a command works on. */
export interface Opened {
  gallery: Gallery;
  card: Card;
  /** Its URL without what may be secret in it. */
  name: string;
  kind: Config["gallery"]["kind"];
  /** Whether what is in it is kept encrypted. */
  isEncrypted: boolean;
  /** The files that hold it on this machine; none if others hold it. */
  files: string[];
}

/** What a command does with a gallery. */
type Use = "read" | "write";

/**
 * The settings of the worker of this environment, with another gallery.
 *
 * @param url as `TRIPTYCH_GALLERY`; undefined for that of the environment
 * @throws {UsageError} if a setting is not right, or the gallery is of no use
 */
export function configWith(url: string | undefined, use: Use): Config {
  const environment = Object.fromEntries(VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const config = readConfig(url === undefined ? environment : { ...environment, TRIPTYCH_GALLERY: url });
  const { kind } = config.gallery;
  if (kind === "memory") throw new UsageError("--gallery memory: ends with this command; give sqlite:PATH.");
  if (use === "write" && kind === "snapshot") {
    throw new UsageError(
      `${nameOf(config.gallery).name} is a snapshot, which is read-only; give --gallery sqlite:PATH.`,
    );
  }
  return config;
}

/**
 * Opens a gallery that is there, of the model of this environment.
 *
 * @throws {GalleryError} if it is not there, or cannot be used
 * @throws {ModelError} if the model cannot be read
 */
export async function openExisting(url: string | undefined, use: Use): Promise<Opened> {
  const { gallery: location, model } = configWith(url, use);
  const { card } = await readModelFiles(model);
  const isMade = location.kind === "sqlite" && location.former !== undefined;
  if ("path" in location && location.path !== undefined && !isMade && !await isThere(location.path)) {
    throw new GalleryError(`There is no gallery ${location.path}; check --gallery.`);
  }
  const isOnlyRead = location.kind === "sqlite" && use === "read";
  const gallery = await openGallery({ ...location, ...isOnlyRead && { isOnlyRead } }, card);
  const isEncrypted = "key" in location && location.key !== undefined;
  return { gallery, card, kind: location.kind, isEncrypted, ...nameOf(location) };
}

/** What a place is called in what is printed, and its files. */
export function nameOf(location: Config["gallery"]): Pick<Opened, "name" | "files"> {
  if (location.kind === "memory") return { name: "memory:", files: [] };
  if (location.kind === "sqlite") {
    const { path } = location;
    return { name: `sqlite:${path}`, files: [path, `${path}-wal`, `${path}-shm`, `${path}-journal`] };
  }
  if (location.kind === "kv") {
    const { path } = location;
    return { name: `kv:${path ?? ""}`, files: path === undefined ? [] : [path, `${path}-wal`, `${path}-shm`] };
  }
  if (location.kind === "postgres") {
    const { host, pathname } = new URL(location.url);
    return { name: `postgres://${host}${pathname}`, files: [] };
  }
  if (!URL.canParse(location.location)) return { name: location.location, files: [location.location] };
  const { origin, pathname } = new URL(location.location);
  return { name: origin + pathname, files: [] };
}

/** Whether there is a file. */
export function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
