/** How the stored pixels must be turned to be upright: EXIF 2.32, tag 0x0112. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;

/**
 * Reads the orientation from a TIFF structure as EXIF embeds it.
 *
 * @returns 1 (upright) where the structure has none or is damaged: a photo is never refused for its metadata
 */
export function exifOrientation(tiff: DataView): Orientation {
  try {
    const littleEndian = tiff.getUint16(0) === 0x4949;
    const directory = tiff.getUint32(4, littleEndian);
    const entries = tiff.getUint16(directory, littleEndian);
    for (let i = 0; i < entries; i++) {
      const entry = directory + 2 + 12 * i;
      if (tiff.getUint16(entry, littleEndian) !== ORIENTATION_TAG) continue;
      const value = tiff.getUint16(entry + 8, littleEndian);
      return value >= 1 && value <= 8 ? value as Orientation : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}
