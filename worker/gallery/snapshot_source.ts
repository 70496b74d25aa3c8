import { readFile, stat } from "node:fs/promises";
import { GalleryError, messageOf } from "../../shared/errors.ts";

/** A version of a snapshot: its bytes, and by what it is told from others. */
export interface SnapshotVersion {
  bytes: Uint8Array<ArrayBuffer>;
  /** null if its source tells no versions apart: then it is never asked again. */
  tag: string | null;
}

/** Where a snapshot comes from, again and again. */
export interface SnapshotSource {
  /** For people: a path, or a URL without what may be secret in it. */
  where: string;
  /**
   * Reads the present version.
   *
   * @param seen the tag of the last one; the version that it names is not read again
   * @returns null if it is that one
   * @throws {GalleryError} if it cannot be read
   */
  read(seen: string | null, signal: AbortSignal): Promise<SnapshotVersion | null>;
}

/** The largest snapshot that is taken from a URL, bytes. */
const MOST_BYTES = 2 ** 31 - 1;
/** How long a server may take to begin its answer, and to end it. */
const BEGIN_MILLISECONDS = 10_000;
const END_MILLISECONDS = 300_000;

/** The source at a path, or at an `http:` or `https:` URL. */
export function snapshotSource(location: string): SnapshotSource {
  return /^https?:/i.test(location) ? urlSource(location) : fileSource(location);
}

function fileSource(path: string): SnapshotSource {
  return {
    where: path,
    async read(seen) {
      try {
        // Before the file is read: if it is replaced meanwhile, it is read once more.
        const { mtimeMs, size, ino } = await stat(path);
        const tag = `${ino} ${size} ${mtimeMs}`;
        if (tag === seen) return null;
        const { buffer, byteOffset, length } = await readFile(path);
        return { bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, length), tag };
      } catch (error) {
        throw new GalleryError(
          `Cannot read the snapshot in ${path}: ${
            messageOf(error)
          }; set TRIPTYCH_GALLERY to a snapshot that can be read.`,
        );
      }
    },
  };
}

function urlSource(url: string): SnapshotSource {
  const { origin, pathname } = new URL(url);
  const where = origin + pathname;
  return {
    where,
    async read(seen, signal) {
      const late = new AbortController();
      const giveUp = () => late.abort(new Error("it takes too long"));
      let timer = setTimeout(giveUp, BEGIN_MILLISECONDS);
      try {
        const headers = seen === null ? {} : conditionOf(seen);
        const response = await fetch(url, { headers, signal: AbortSignal.any([signal, late.signal]) });
        clearTimeout(timer);
        timer = setTimeout(giveUp, END_MILLISECONDS);
        if (response.status === 200) return { bytes: await readBody(response), tag: tagOf(response) };
        await response.body?.cancel();
        if (response.status === 304 && seen !== null) return null;
        throw new Error(`it is answered with ${response.status}`);
      } catch (error) {
        throw new GalleryError(
          `Cannot fetch the snapshot at ${where}: ${messageOf(error)}; check TRIPTYCH_GALLERY and the server.`,
        );
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** The kinds of tags, and the header that asks for another version. */
const ETAG = "etag ", DATE = "date ";

function tagOf({ headers }: Response): string | null {
  const etag = headers.get("etag"), date = headers.get("last-modified");
  if (etag !== null) return ETAG + etag;
  return date === null ? null : DATE + date;
}

function conditionOf(tag: string): Record<string, string> {
  return tag.startsWith(ETAG)
    ? { "if-none-match": tag.slice(ETAG.length) }
    : { "if-modified-since": tag.slice(DATE.length) };
}

/** The body in one piece, which is never in memory twice where its length is told. */
async function readBody({ headers, body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  // The length of what is compressed says nothing of what comes out.
  const told = headers.has("content-encoding") ? NaN : Number(headers.get("content-length") ?? NaN);
  let bytes = new Uint8Array(within(Number.isNaN(told) ? 1 << 20 : told)), length = 0;
  for await (const part of body ?? []) {
    if (length + part.length > bytes.length) {
      const larger = new Uint8Array(within(Math.max(length + part.length, Math.min(2 * bytes.length, MOST_BYTES))));
      larger.set(bytes.subarray(0, length));
      bytes = larger;
    }
    bytes.set(part, length);
    length += part.length;
  }
  return bytes.subarray(0, length);
}

function within(bytes: number): number {
  if (bytes > MOST_BYTES) throw new Error("it is larger than 2 GiB");
  return bytes;
}
