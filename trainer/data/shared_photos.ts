import type { Photo } from "./photos.ts";

/**
 * Photos whose pixels lie in one memory that threads can share, so that none of them needs a copy. Photos that lie in such
 * memory already are given back as they are; of others the originals can be let go.
 */
export function sharePhotos(photos: readonly Photo[]): readonly Photo[] {
  if (photos.every(({ image }) => image.data.buffer instanceof SharedArrayBuffer)) return photos;
  const memory = new SharedArrayBuffer(photos.reduce((size, { image }) => size + image.data.length, 0));
  let offset = 0;
  return photos.map(({ identity, image: { width, height, data } }) => {
    const shared = new Uint8ClampedArray(memory, offset, data.length);
    shared.set(data);
    offset += data.length;
    return { identity, image: { width, height, data: shared } };
  });
}
