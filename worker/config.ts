import { fileURLToPath } from "node:url";
import { z } from "zod";
import { UsageError } from "../shared/errors.ts";
import type { GalleryLocation } from "./gallery/open.ts";
import type { KeySource } from "./keys/key.ts";
import { parseKeys } from "./keys/key_source.ts";
import { isOrigin } from "./keys/origin.ts";
import { whole } from "./whole.ts";

/** Where the worker keeps its gallery if nothing else is said. */
export const DEFAULT_DATABASE = ".triptych/gallery.sqlite";

/** Where versions before kept it, which the default takes over. */
const FORMER_DEFAULT = ".triptych/gallery.snapshot";

/** The worker's settings, as its environment gives them. */
export interface Config {
  /** Directory or URL. */
  model: string;
  gallery: GalleryLocation;
  keys: KeySource | undefined;
  corsOrigins: string[];
  /** bytes */
  maxBody: number;
  /** How many images may wait while one is embedded. */
  queue: number;
  /** Whether a small picture is kept of every image that is enrolled from now on. */
  thumbnails: boolean;
  /** Whether faces may be looked for in a collection. */
  faceSearch: boolean;
  /** Days after which a subject expires for which nothing else is said, 0 for never; undefined for the model's default. */
  retention: number | undefined;
  /** The file in which enrolments and deletions are written down; undefined for none. */
  audit: string | undefined;
  /** 0 for any that is free. */
  port: number;
  /** Whether Deno Deploy runs this, which listens itself and has no disk that lasts. */
  isHosted: boolean;
}

/** The variables that are read. */
export const VARIABLES = [
  "TRIPTYCH_MODEL",
  "TRIPTYCH_GALLERY",
  "TRIPTYCH_KEYS",
  "TRIPTYCH_CORS_ORIGINS",
  "TRIPTYCH_MAX_BODY",
  "TRIPTYCH_QUEUE",
  "TRIPTYCH_THUMBNAILS",
  "TRIPTYCH_FACE_SEARCH",
  "TRIPTYCH_RETENTION",
  "TRIPTYCH_AUDIT",
  "PORT",
  "DENO_DEPLOYMENT_ID",
] as const;

/** The largest body that is taken if nothing else is said, bytes. */
export const DEFAULT_MAX_BODY = 8 << 20;

/** How many images may wait while one is embedded, if nothing else is said. */
export const DEFAULT_QUEUE = 16;

/** Where the worker listens if nothing else is said. */
export const DEFAULT_PORT = 8000;

const Environment = z.object({
  TRIPTYCH_MODEL: z.string().default(() => fileURLToPath(new URL("../samples/model", import.meta.url))),
  TRIPTYCH_GALLERY: z.string().optional(),
  TRIPTYCH_KEYS: z.string().transform(parseKeys).optional(),
  TRIPTYCH_CORS_ORIGINS: z.string().transform((text) => text.split(",").map((origin) => origin.trim()))
    .refine((origins) => origins.every(isOrigin), "give origins like https://shop.example, separated by commas")
    .default([]),
  TRIPTYCH_MAX_BODY: whole(1 << 10, 1 << 30, "bytes").default(DEFAULT_MAX_BODY),
  TRIPTYCH_QUEUE: whole(0, 10_000, "images").default(DEFAULT_QUEUE),
  TRIPTYCH_THUMBNAILS: z.enum(["0", "1"], "give 1 to keep them, or 0").default("0"),
  TRIPTYCH_FACE_SEARCH: z.enum(["0", "1"], "give 1 to allow it, or 0").default("0"),
  TRIPTYCH_RETENTION: whole(0, 36_500, "days").optional(),
  TRIPTYCH_AUDIT: z.string().optional(),
  PORT: whole(0, 65_535).default(DEFAULT_PORT),
  DENO_DEPLOYMENT_ID: z.string().optional(),
});

/**
 * Reads the settings out of an environment. An empty variable is as one that is not set.
 *
 * @throws {UsageError} if a variable is not right
 */
export function readConfig(environment: Partial<Record<typeof VARIABLES[number], string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = Environment.safeParse(set);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new UsageError(`${path.join(".")}=${String(set[String(path[0])])} is not right: ${message}.`);
  }
  const { data } = parsed;
  const isHosted = data.DENO_DEPLOYMENT_ID !== undefined;
  return {
    model: data.TRIPTYCH_MODEL,
    gallery: galleryOf(data.TRIPTYCH_GALLERY, isHosted),
    keys: data.TRIPTYCH_KEYS,
    corsOrigins: data.TRIPTYCH_CORS_ORIGINS,
    maxBody: data.TRIPTYCH_MAX_BODY,
    queue: data.TRIPTYCH_QUEUE,
    thumbnails: data.TRIPTYCH_THUMBNAILS === "1",
    faceSearch: data.TRIPTYCH_FACE_SEARCH === "1",
    retention: data.TRIPTYCH_RETENTION,
    audit: data.TRIPTYCH_AUDIT,
    port: data.PORT,
    isHosted,
  };
}

function galleryOf(text: string | undefined, isHosted: boolean): GalleryLocation {
  if (text !== undefined) return galleryAt(text);
  return isHosted ? { kind: "memory" } : { kind: "sqlite", path: DEFAULT_DATABASE, former: FORMER_DEFAULT };
}

function galleryAt(text: string): GalleryLocation {
  if (text === "memory:") return { kind: "memory" };
  if (/^sqlite:./.test(text)) return { kind: "sqlite", path: text.slice("sqlite:".length) };
  if (text.startsWith("file:")) return { kind: "snapshot", location: fileURLToPath(text) };
  // One letter before the colon is a drive of Windows.
  if (/^https?:\/\/./i.test(text) || !/^[a-z][a-z0-9+.-]+:/i.test(text)) return { kind: "snapshot", location: text };
  throw new UsageError(
    `TRIPTYCH_GALLERY=${text} names no gallery of this version; give memory:, sqlite:PATH, or the path or URL of a snapshot.`,
  );
}
