import { fileURLToPath } from "node:url";
import { z } from "zod";
import { UsageError } from "../shared/errors.ts";
import { PUBLIC_KEY } from "../shared/model_signature.ts";
import { parseMasterKey } from "./gallery/encryption.ts";
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
  /** The public key of who signs models, as `PUBLIC_KEY` has it; undefined for a model that need not be signed. */
  modelKey: string | undefined;
  gallery: GalleryLocation;
  keys: KeySource | undefined;
  corsOrigins: string[];
  /** bytes */
  maxBody: number;
  /** How many images may wait while others are embedded. */
  queue: number;
  /** Whether a small picture is kept of every image that is enrolled from now on. */
  thumbnails: boolean;
  /** Whether faces may be looked for in a collection. */
  faceSearch: boolean;
  /** Days after which a subject expires for which nothing else is said, 0 for never; undefined for the model's default. */
  retention: number | undefined;
  /** Whether enrolments that are in doubt wait for a review. */
  review: boolean;
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
  "TRIPTYCH_MODEL_KEY",
  "TRIPTYCH_GALLERY",
  "TRIPTYCH_GALLERY_KEY",
  "TRIPTYCH_GALLERY_REPLICAS",
  "TRIPTYCH_KEYS",
  "TRIPTYCH_CORS_ORIGINS",
  "TRIPTYCH_MAX_BODY",
  "TRIPTYCH_QUEUE",
  "TRIPTYCH_THUMBNAILS",
  "TRIPTYCH_FACE_SEARCH",
  "TRIPTYCH_RETENTION",
  "TRIPTYCH_REVIEW",
  "TRIPTYCH_AUDIT",
  "PORT",
  "DENO_DEPLOYMENT_ID",
] as const;

/** The largest body that is taken if nothing else is said, bytes. */
export const DEFAULT_MAX_BODY = 8 << 20;

/** How many images may wait while others are embedded, if nothing else is said. */
export const DEFAULT_QUEUE = 16;

/** Where the worker listens if nothing else is said. */
export const DEFAULT_PORT = 8000;

const Environment = z.object({
  TRIPTYCH_MODEL: z.string().default(() => fileURLToPath(new URL("../samples/model", import.meta.url))),
  TRIPTYCH_MODEL_KEY: z.string().regex(PUBLIC_KEY, "give the public key that deno task keys sign prints").optional(),
  TRIPTYCH_GALLERY: z.string().optional(),
  TRIPTYCH_GALLERY_KEY: z.string().optional(),
  TRIPTYCH_GALLERY_REPLICAS: z.string().transform((text) => text.split(",").map((url) => url.trim())).default([]),
  TRIPTYCH_KEYS: z.string().transform(parseKeys).optional(),
  TRIPTYCH_CORS_ORIGINS: z.string().transform((text) => text.split(",").map((origin) => origin.trim()))
    .refine((origins) => origins.every(isOrigin), "give origins like https://shop.example, separated by commas")
    .default([]),
  TRIPTYCH_MAX_BODY: whole(1 << 10, 1 << 30, "bytes").default(DEFAULT_MAX_BODY),
  TRIPTYCH_QUEUE: whole(0, 10_000, "images").default(DEFAULT_QUEUE),
  TRIPTYCH_THUMBNAILS: z.enum(["0", "1"], "give 1 to keep them, or 0").default("0"),
  TRIPTYCH_FACE_SEARCH: z.enum(["0", "1"], "give 1 to allow it, or 0").default("0"),
  TRIPTYCH_RETENTION: whole(0, 36_500, "days").optional(),
  TRIPTYCH_REVIEW: z.enum(["0", "1"], "give 1 to hold what is in doubt, or 0").default("0"),
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
    modelKey: data.TRIPTYCH_MODEL_KEY,
    gallery: withReplicas(
      withKey(galleryOf(data.TRIPTYCH_GALLERY, isHosted), data.TRIPTYCH_GALLERY_KEY),
      data.TRIPTYCH_GALLERY_REPLICAS,
    ),
    keys: data.TRIPTYCH_KEYS,
    corsOrigins: data.TRIPTYCH_CORS_ORIGINS,
    maxBody: data.TRIPTYCH_MAX_BODY,
    queue: data.TRIPTYCH_QUEUE,
    thumbnails: data.TRIPTYCH_THUMBNAILS === "1",
    faceSearch: data.TRIPTYCH_FACE_SEARCH === "1",
    retention: data.TRIPTYCH_RETENTION,
    review: data.TRIPTYCH_REVIEW === "1",
    audit: data.TRIPTYCH_AUDIT,
    port: data.PORT,
    isHosted,
  };
}

/** On which addresses to listen: on all if there are keys, otherwise on this machine's own alone. */
export function hostnameFor({ keys }: Pick<Config, "keys">): string {
  return keys === undefined ? "127.0.0.1" : "0.0.0.0";
}

/** The error does not repeat what may be a key that was mistyped. */
function withKey(gallery: GalleryLocation, text: string | undefined): GalleryLocation {
  if (text === undefined) return gallery;
  const key = parseMasterKey(text);
  if (key === null) {
    throw new UsageError(
      "TRIPTYCH_GALLERY_KEY is not right: give 32 bytes in base64, as deno task keys gallery makes them.",
    );
  }
  if (gallery.kind === "memory") return gallery;
  if (gallery.kind === "sqlite" || gallery.kind === "kv") return { ...gallery, key };
  throw new UsageError(
    `TRIPTYCH_GALLERY_KEY is set, and ${
      gallery.kind === "snapshot" ? "a snapshot" : "a gallery in Postgres, where the server searches,"
    } is not encrypted; give sqlite:PATH or kv:, or unset the key.`,
  );
}

function galleryOf(text: string | undefined, isHosted: boolean): GalleryLocation {
  if (text !== undefined) return galleryAt(text);
  return isHosted ? { kind: "memory" } : { kind: "sqlite", path: DEFAULT_DATABASE, former: FORMER_DEFAULT };
}

function galleryAt(text: string): GalleryLocation {
  if (text === "memory:") return { kind: "memory" };
  if (/^sqlite:./.test(text)) return { kind: "sqlite", path: text.slice("sqlite:".length) };
  if (text.startsWith("kv:")) return { kind: "kv", path: text.slice("kv:".length) || undefined };
  if (isPostgres(text)) return { kind: "postgres", url: text, replicas: [] };
  if (text.startsWith("file:")) return { kind: "snapshot", location: fileURLToPath(text) };
  // One letter before the colon is a drive of Windows.
  if (/^https?:\/\/./i.test(text) || !/^[a-z][a-z0-9+.-]+:/i.test(text)) return { kind: "snapshot", location: text };
  // Behind the scheme there may be a password.
  throw new UsageError(
    `TRIPTYCH_GALLERY=${
      text.split(":")[0]
    }:... names no gallery of this version; give memory:, sqlite:PATH, kv:, kv:PATH, postgres://USER:PASSWORD@HOST/DATABASE, or the path or URL of a snapshot.`,
  );
}

function withReplicas(gallery: GalleryLocation, replicas: string[]): GalleryLocation {
  if (replicas.length === 0) return gallery;
  if (gallery.kind !== "postgres" || !replicas.every(isPostgres)) {
    throw new UsageError(
      "TRIPTYCH_GALLERY_REPLICAS is not right: give URLs like postgres://USER:PASSWORD@HOST/DATABASE, separated by commas, of servers that follow that of TRIPTYCH_GALLERY=postgres://...",
    );
  }
  return { ...gallery, replicas };
}

function isPostgres(text: string): boolean {
  return /^postgres(ql)?:\/\/./.test(text) && URL.canParse(text);
}
