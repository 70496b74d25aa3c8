const MEMORY_SECTION = 5;
/** Magic number and version. */
const HEADER_BYTES = 8;
/** Of the flags of limits (WebAssembly core specification 3.0, 5.3.9): a maximum follows the minimum; addresses have 64 bits. */
const HAS_MAXIMUM = 1, IS_64_BIT = 4;

/** The unit of a memory's size, bytes. */
export const PAGE_BYTES = 65536;

/**
 * A WebAssembly binary whose own memory grows no larger than a cap, whatever it was built with: an allocation beyond it fails
 * within the instance, as if the machine had no more.
 *
 * @param pages the cap, in pages of {@link PAGE_BYTES}
 * @returns the binary with the maximum of its memory lowered; unchanged if that was no higher
 * @throws {RangeError} if it has no memory of its own with 32-bit addresses, or begins with more than the cap
 */
export function capMemory(binary: Uint8Array<ArrayBuffer>, pages: number): Uint8Array<ArrayBuffer> {
  for (let at = HEADER_BYTES; at < binary.length;) {
    const size = readUnsigned(binary, at + 1);
    if (binary[at] === MEMORY_SECTION) {
      const content = capped(binary.subarray(size.end, size.end + size.value), pages);
      const section = [MEMORY_SECTION, ...unsigned(content.length), ...content];
      const rest = binary.subarray(size.end + size.value);
      const out = new Uint8Array(at + section.length + rest.length);
      out.set(binary.subarray(0, at));
      out.set(section, at);
      out.set(rest, at + section.length);
      return out;
    }
    at = size.end + size.value;
  }
  throw new RangeError("the binary has no memory of its own");
}

/** The content of a memory section: how many memories, and of the one its flags and limits. */
function capped(content: Uint8Array, pages: number): number[] {
  const [count, flags] = content;
  const minimum = readUnsigned(content, 2);
  if (count !== 1 || (flags & IS_64_BIT) !== 0) throw new RangeError("the binary has no single memory of 32 bits");
  const maximum = (flags & HAS_MAXIMUM) === 0 ? Infinity : readUnsigned(content, minimum.end).value;
  if (minimum.value > pages) throw new RangeError(`the memory begins with ${minimum.value} pages, above ${pages}`);
  return [count, flags | HAS_MAXIMUM, ...unsigned(minimum.value), ...unsigned(Math.min(maximum, pages))];
}

/** An unsigned LEB128 integer, and where what follows it begins. */
function readUnsigned(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0, end = at;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[end++];
    value += (byte & 0x7f) * 2 ** shift;
    if (!(byte & 0x80)) return { value, end };
  }
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 | 0x80, ...unsigned(Math.floor(value / 0x80))];
}
