import type { GallerySnapshot } from "../../shared/snapshot.ts";
import { concat } from "./bytes.ts";

/** A snapshot as former versions wrote it. */
export async function encodeSnapshotV1(snapshot: GallerySnapshot): Promise<Uint8Array<ArrayBuffer>> {
  const images = snapshot.collections.flatMap(({ subjects }) => subjects.flatMap(({ images }) => images));
  const json = JSON.stringify(snapshot, (key, value) => {
    if (key === "thumbnail") return value.toBase64();
    return key === "embedding" && value instanceof Float32Array ? undefined : value;
  });
  const header = new TextEncoder().encode(json);
  const padded = new Uint8Array(Math.ceil(header.length / 4) * 4).fill(0x20);
  padded.set(header);
  const vectors = images.map(({ embedding }) => new Uint8Array(Float32Array.from(embedding).buffer));
  const numbers = new Uint8Array(Uint32Array.of(1, padded.length).buffer);
  const bytes = concat([new TextEncoder().encode("TRIPTYCH"), numbers, padded, ...vectors]);
  return concat([bytes, new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]);
}
