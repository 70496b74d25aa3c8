/**
 * A cyclic redundancy check of 32 bits, as most formats use it: bits reflected, all ones before and after.
 *
 * @param polynomial reflected
 */
export function createCrc32(polynomial: number): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
  return (bytes) => {
    let remainder = 0xffffffff;
    for (let i = 0; i < bytes.length; i++) remainder = table[(remainder ^ bytes[i]) & 0xff] ^ (remainder >>> 8);
    return (remainder ^ 0xffffffff) >>> 0;
  };
}

/** CRC-32 of bytes, as in PNG (its specification, section 5.5), where there is no `node:zlib`, as in a browser. */
export const crc32: (bytes: Uint8Array) => number = createCrc32(0xedb88320);
