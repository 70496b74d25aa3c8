/** Those of which pixels are made; all others, such as colour profiles, texts and the frames of animations, are not read. */
const ESSENTIAL = new Set(["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);

/** What the largest image that is taken has of scan lines, four channels of 16 bits: to inflate so much is never too much. */
const ALWAYS_TAKEN = 8 * 16_000_000;
/** What is inflated at a time, bytes: a stream gives all that comes of them at once. */
const PIECE = 16_384;
/** A byte of deflate gives at most so many (RFC 1951: a match of 258 in 2 bits). */
const EXPANSION = 1032;

/** Channels of each colour type (PNG, section 6.1). */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Of each pass of Adam7: where its pixels begin, and how far they are apart (PNG, section 8.2). */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [
  0,
  1,
  1,
  2,
]] as const;

/**
 * A PNG without what its pixels do not need. Its data is inflated once, a part at a time, and not further than the scan
 * lines of its header: a decoder would go on to the end.
 *
 * @param bytes whose chunks are whole, as `readHeader` sees to
 * @throws {Error} if there is more data than the image has pixels
 */
export async function essentialPng(bytes: Uint8Array): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept = [bytes.subarray(0, 8)], data: Uint8Array[] = [];
  for (let offset = 8, kind = ""; kind !== "IEND";) {
    const length = view.getUint32(offset);
    kind = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (ESSENTIAL.has(kind)) kept.push(bytes.subarray(offset, offset + 12 + length));
    if (kind === "IDAT") data.push(bytes.subarray(offset + 8, offset + 8 + length));
    offset += 12 + length;
  }
  if (EXPANSION * lengthOf(data) > ALWAYS_TAKEN && await inflatesPast(data, scanLineBytes(view))) {
    throw new Error("the PNG has more data than pixels");
  }
  return lengthOf(kept) === bytes.length ? bytes : concatenated(kept);
}

/** How many bytes the scan lines have, each with that of its filter. */
function scanLineBytes(view: DataView): number {
  const width = view.getUint32(16), height = view.getUint32(20), isInterlaced = view.getUint8(28) === 1;
  const bits = view.getUint8(24) * (CHANNELS[view.getUint8(25)] ?? 4);
  const passes = isInterlaced ? PASSES : [[0, 0, 1, 1]];
  return passes.reduce((sum, [x, y, across, down]) => {
    const columns = Math.ceil((width - x) / across), rows = Math.ceil((height - y) / down);
    return columns > 0 && rows > 0 ? sum + rows * (Math.ceil(columns * bits / 8) + 1) : sum;
  }, 0);
}

/** Whether there is more in data than so many bytes. What is no zlib stream ends where it is none, as for a decoder. */
async function inflatesPast(data: readonly Uint8Array[], budget: number): Promise<boolean> {
  const pieces = piecesOf(data);
  const source = new ReadableStream<BufferSource>({
    pull(controller) {
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  }, { highWaterMark: 0 });
  const reader = source.pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (let length = 0; length <= budget;) {
      const { done, value } = await reader.read();
      if (done) return false;
      length += value.length;
    }
    return true;
  } catch {
    return false;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function* piecesOf(data: readonly Uint8Array[]): Generator<Uint8Array<ArrayBuffer>, undefined> {
  for (const part of data) {
    for (let at = 0; at < part.length; at += PIECE) yield part.subarray(at, at + PIECE) as Uint8Array<ArrayBuffer>;
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
