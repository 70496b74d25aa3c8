/** How many bytes tell that something is there, and how far apart in it they are. */
const PIECE = 16;
const STEP = 64;
/** Fewer different bytes than these say nothing: zeros are everywhere, and so is what JPEG makes of a white wall. */
const FEWEST_DIFFERENT = 8;
const READ_AT_ONCE = 16 << 20;

/**
 * How many pieces of what was erased are in a file, wherever in it: a database may split what it keeps between pages, so it
 * is looked for in parts.
 *
 * @throws whatever the file system does
 */
export async function tracesIn(path: string, erased: readonly Uint8Array[]): Promise<number> {
  const pieces = erased.flatMap(piecesOf);
  // Most places are no piece's start by their first two bytes.
  const starts = Map.groupBy(pieces, ([first, second]) => first | second << 8);
  const isStart = new Uint8Array(1 << 16);
  for (const start of starts.keys()) isStart[start] = 1;
  using file = await Deno.open(path);
  const buffer = new Uint8Array(READ_AT_ONCE);
  let kept = 0, traces = 0;
  for (;;) {
    const read = await file.read(buffer.subarray(kept));
    if (read === null) return traces;
    const end = kept + read;
    let at = 0;
    for (; at <= end - PIECE; at++) {
      const start = buffer[at] | buffer[at + 1] << 8;
      if (isStart[start] === 0) continue;
      if (starts.get(start)!.some((piece) => piece.every((byte, i) => byte === buffer[at + i]))) traces++;
    }
    buffer.copyWithin(0, at, end);
    kept = end - at;
  }
}

function piecesOf(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at + PIECE <= bytes.length; at += STEP) pieces.push(bytes.subarray(at, at + PIECE));
  return pieces.filter((piece) => new Set(piece).size >= FEWEST_DIFFERENT);
}
