import { parseArgs } from "node:util";
import { messageOf, UsageError } from "../shared/errors.ts";
import { DEFAULT_DATABASE, DEFAULT_MAX_BODY, DEFAULT_PORT, DEFAULT_QUEUE } from "./config.ts";
import { FACE_RETENTION } from "./gallery/retention.ts";

/** What `deno task serve --help` prints. */
export const USAGE = `Starts the worker: images in, matches out. Its settings are variables of the environment.

Usage: [VARIABLE=VALUE ...] deno task serve [--help]

  TRIPTYCH_MODEL         model directory or URL (default samples/model)
  TRIPTYCH_MODEL_KEY     public key that deno task keys sign prints; a model that it did not sign is refused (default none)
  TRIPTYCH_GALLERY       memory:, sqlite:PATH, which several workers may share, kv: for the Deno KV of a deployment,
                         kv:PATH for one in a file, postgres://USER:PASSWORD@HOST/DATABASE, which several machines may
                         share, or the path or URL of a snapshot, which is read-only; a new version of it is taken up
                         within seconds
                         (default sqlite:${DEFAULT_DATABASE})
  TRIPTYCH_GALLERY_KEY   32 bytes in base64, as \`deno task keys gallery\` makes them, that encrypt the embeddings, thumbnails
                         and metadata of a database or Deno KV (default none: they are kept as they are)
  TRIPTYCH_GALLERY_REPLICAS  URLs of Postgres servers that follow that one, for searches, separated by commas
                         (default none)
  TRIPTYCH_KEYS          scope+scope:KEY, separated by commas; scopes verify, match, scores, enroll, admin; or the path of
                         the file that deno task keys writes (default none: this machine alone is answered)
  TRIPTYCH_CORS_ORIGINS  origins whose pages may call, separated by commas; null for pages opened from a file
                         (default none but the worker's own)
  TRIPTYCH_MAX_BODY      largest body in bytes (default ${DEFAULT_MAX_BODY})
  TRIPTYCH_QUEUE         images that may wait while others are embedded (default ${DEFAULT_QUEUE})
  TRIPTYCH_THUMBNAILS    1 to keep a small picture of every image that is enrolled (default 0: no picture is kept)
  TRIPTYCH_FACE_SEARCH   1 to let /match look for faces in a collection (default 0: faces are compared one to one alone)
  TRIPTYCH_RETENTION     days after which a subject is deleted for which nothing else is said, 0 for never (default 0;
                         of a model of faces ${FACE_RETENTION})
  TRIPTYCH_REVIEW        1 to let an enrolment wait for an administrator that is far from its subject's other images or
                         close to another subject (default 0: all are enrolled at once)
  TRIPTYCH_AUDIT         file in which enrolments and deletions are written down, each line with the digest of the one
                         before; \`deno task audit FILE\` checks it (default none)
  PORT                   where to listen, 0 for any port that is free (default ${DEFAULT_PORT})`;

/**
 * Reads the arguments of `deno task serve`.
 *
 * @returns whether help is asked for, the only thing that can be
 * @throws {UsageError} if there is any other argument
 */
export function asksForHelp(args: string[]): boolean {
  try {
    const { values } = parseArgs({ args, options: { help: { type: "boolean", short: "h" } } });
    return values.help ?? false;
  } catch (error) {
    throw new UsageError(
      `${
        messageOf(error).split(". ")[0]
      }: the worker is set by variables of the environment; see deno task serve --help.`,
    );
  }
}
