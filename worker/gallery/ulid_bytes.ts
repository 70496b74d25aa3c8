const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 26;
const BITS = 5;

/** By the code of a character, -1 for what is no digit. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => DIGITS.indexOf(String.fromCharCode(code)));

/**
 * Writes a ULID as the 128 bits that it is.
 *
 * @param bytes `[16] uint8`
 * @returns whether `text` is a ULID as it is usually written; otherwise nothing is written
 */
export function writeUlid(text: string, bytes: Uint8Array): boolean {
  if (text.length !== LENGTH || !(valueAt(text, 0) < 8)) return false;
  for (let i = 0; i < LENGTH; i++) if (!(valueAt(text, i) >= 0)) return false;
  // The first digit has three bits, so that the last one ends with the last byte.
  let rest = 0, length = -2, at = 0;
  for (let i = 0; i < LENGTH; i++) {
    rest = (rest << BITS | valueAt(text, i)) & 0xfff;
    length += BITS;
    if (length < 8) continue;
    length -= 8;
    bytes[at++] = rest >> length;
  }
  return true;
}

/** The ULID that was written. @param bytes `[16] uint8` */
export function readUlid(bytes: Uint8Array): string {
  let text = "", rest = 0, length = 2;
  for (const byte of bytes) {
    rest = (rest << 8 | byte) & 0xfff;
    length += 8;
    for (; length >= BITS; length -= BITS) text += DIGITS[rest >> (length - BITS) & 31];
  }
  return text;
}

function valueAt(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)];
}
