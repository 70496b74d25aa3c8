import { createCrc32 } from "../../shared/crc32.ts";

/** CRC-32C of bytes (Castagnoli's polynomial), as in iSCSI (RFC 3720, section 12.1) and TFRecord files. */
export const crc32c: (bytes: Uint8Array) => number = createCrc32(0x82f63b78);
