import type { Card } from "../../shared/card.ts";
import { UsageError } from "../../shared/errors.ts";
import { sha256 } from "../../shared/sha256.ts";
import { readConfig } from "../../worker/config.ts";
import { UnknownError } from "../../worker/gallery/gallery.ts";
import { expiryOf } from "../../worker/gallery/retention.ts";
import { openGallery } from "../../worker/gallery/open.ts";
import { type DoPart, shareJob } from "./shared_job.ts";
import { openWorker } from "./worker_destination.ts";

/** An image that a subject has, and the key with which it was enrolled, if that can be known. */
export interface EnrolledImage {
  image: string;
  key?: string | undefined;
}

/** A collection of a gallery, as what is enrolled in. */
export interface Destination {
  /** How many images are best given at once: they share a write. */
  batch: number;
  /** What a subject has; none if there is no such subject. */
  images(subject: string): Promise<EnrolledImage[]>;
  /**
   * Enrols an image, unless the subject has one with this key.
   *
   * @param embedding `[dim] float32`, unit length
   * @returns the image's id; null if the subject has another embedding with this key
   */
  add(subject: string, key: string, embedding: Float32Array): Promise<string | null>;
  /** Where other machines may do the same job at the same time: does it with them. The default is alone. */
  share?: (job: { items: readonly string[]; size: number; signal: AbortSignal }, doPart: DoPart) => Promise<void>;
  /** Waits until all is written, and releases what is held. */
  close(): Promise<void>;
}

/** What is given at once shares a write, which waits for the disk. */
const BATCH = 256;

/**
 * Opens a collection to enrol in.
 *
 * @param url what `TRIPTYCH_GALLERY` takes, or the `http:` or `https:` URL of a worker
 * @param key sent to the worker, if it needs one
 * @throws {UsageError} if it is no gallery that lasts
 * @throws {GalleryError} if it cannot be opened or reached, or is of another model
 */
export function openDestination(
  url: string,
  collection: string,
  card: Card,
  key: string | undefined,
): Promise<Destination> {
  return /^https?:/i.test(url) ? openWorker(url, collection, card, key) : openStore(url, collection, card);
}

async function openStore(url: string, collection: string, card: Card): Promise<Destination> {
  const { gallery: location, retention } = readConfig({
    TRIPTYCH_GALLERY: url,
    TRIPTYCH_GALLERY_KEY: Deno.env.get("TRIPTYCH_GALLERY_KEY"),
    TRIPTYCH_RETENTION: Deno.env.get("TRIPTYCH_RETENTION"),
  });
  if (location.kind === "memory") {
    throw new UsageError("--gallery memory: ends with this command; give sqlite:PATH or the URL of a worker.");
  }
  if (location.kind === "snapshot") {
    throw new UsageError(
      `${url} is a snapshot, which is read-only; give --gallery sqlite:PATH or the URL of a worker.`,
    );
  }
  const gallery = await openGallery(location, card);
  return {
    batch: BATCH,
    async images(subject) {
      try {
        const { images } = await gallery.subject(collection, subject);
        return images.map(({ image, request }) => ({ image, key: request?.key }));
      } catch (error) {
        if (error instanceof UnknownError) return [];
        throw error;
      }
    },
    async add(subject, key, embedding) {
      const request = { key, digest: await digestOf(embedding) };
      const { image } = await gallery.addImage(collection, subject, embedding, {
        request,
        expiresAt: expiryOf(card, retention, Date.now()),
      });
      return image;
    },
    ...(location.kind === "postgres" && {
      share: (job, doPart) => shareJob({ ...job, url: location.url, collection }, doPart),
    }),
    close: () => gallery.close(),
  };
}

/** That of the worker for an embedding, so that either knows what the other has enrolled. */
async function digestOf(embedding: Float32Array): Promise<string> {
  return (await sha256(new Uint8Array(Float64Array.from(embedding).buffer))).replace("sha256:", "");
}
