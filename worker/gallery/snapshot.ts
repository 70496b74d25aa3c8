import type { Card } from "../../shared/card.ts";
import { GalleryError, messageOf } from "../../shared/errors.ts";
import { decodeSnapshot } from "../../shared/decode_snapshot.ts";
import type { Log } from "../middleware/request_log.ts";
import { type Gallery, ReadOnlyError } from "./gallery.ts";
import { createMemoryGallery } from "./memory.ts";
import { checkModel } from "./model_check.ts";
import type { SnapshotSource } from "./snapshot_source.ts";
import { watchVersion } from "./watch.ts";

/** How often a new version is looked for. */
const EVERY_MILLISECONDS = 2_000;

/**
 * A gallery that serves a snapshot and cannot be changed. Where there is a new version, it is read and verified beside the
 * present one and takes its place in one step: every search is wholly of one version. One that cannot be used is told of in
 * the log, once, and changes nothing.
 *
 * @param card of the model that every version must be of
 * @throws {GalleryError} if the first version cannot be read, is damaged or is of another model
 */
export async function openSnapshotGallery(
  source: SnapshotSource,
  card: Pick<Card, "fingerprint" | "embedding">,
  log: Log,
): Promise<Gallery> {
  const closing = new AbortController(), events = new EventTarget();
  let seen: string | null = null, complaint = "";

  /** @returns null if there is no other version than the last one that was read, good or bad */
  async function load(): Promise<Gallery | null> {
    const version = await source.read(seen, closing.signal);
    if (version === null) return null;
    seen = version.tag;
    const { rows: _, ...snapshot } = await decodeSnapshot(version.bytes, source.where);
    checkModel(source.where, snapshot.fingerprint, card.fingerprint);
    if (snapshot.dimensions === card.embedding.dimensions) return createMemoryGallery({ snapshot });
    throw new GalleryError(
      `The snapshot in ${source.where} has ${snapshot.dimensions} dimensions, and its model ${card.embedding.dimensions}; export it again.`,
    );
  }

  async function look(): Promise<void> {
    try {
      const next = await load();
      complaint = "";
      if (next === null || closing.signal.aborted) return;
      present = next;
      events.dispatchEvent(new Event("change"));
      log({ level: "info", message: "gallery replaced", snapshot: source.where });
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint && !closing.signal.aborted) log({ level: "error", message });
      complaint = message;
    }
  }

  let present = (await load())!;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const lookLater = () => {
    if (closing.signal.aborted) return;
    if (seen !== null) timer = setTimeout(() => look().then(lookLater), EVERY_MILLISECONDS);
    else {
      const message =
        `${source.where} is sent without ETag and Last-Modified, so a new version is taken at a restart only.`;
      log({ level: "warning", message });
    }
  };
  lookLater();

  const refuse = () => Promise.reject(new ReadOnlyError());
  return {
    isReadOnly: true,
    collections: () => present.collections(),
    collection: (...query) => present.collection(...query),
    subjects: (...query) => present.subjects(...query),
    subject: (...query) => present.subject(...query),
    search: (...query) => present.search(...query),
    snapshot: () => present.snapshot(),
    version: () => present.version(),
    watch: (signal) => watchVersion(() => present.version(), events, signal),
    putCollection: refuse,
    deleteCollection: refuse,
    putSubject: refuse,
    deleteSubject: refuse,
    addImage: refuse,
    deleteImage: refuse,
    restore: refuse,
    // deno-lint-ignore require-await
    async close() {
      closing.abort();
      clearTimeout(timer);
    },
  };
}
