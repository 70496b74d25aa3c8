/** Reads a buffer and does next to nothing with it, in several ways: what the memory lends one core. For the benchmarks. */

const LINE: usize = 64;

/** One byte after the other. @param bytes a multiple of 64 */
export function oneStream(at: usize, bytes: usize): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (const end = at + bytes; at < end; at += LINE) {
    a = v128.or(a, v128.load(at));
    b = v128.or(b, v128.load(at, 16));
    c = v128.or(c, v128.load(at, 32));
    d = v128.or(d, v128.load(at, 48));
  }
  return bitsOf(a, b, c, d);
}

/** Four parts at once, a line of each by turns. @param bytes a multiple of 256 */
export function fourStreams(at: usize, bytes: usize): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  const part = bytes / 4;
  for (const end = at + part; at < end; at += LINE) {
    a = v128.or(a, line(at));
    b = v128.or(b, line(at + part));
    c = v128.or(c, line(at + 2 * part));
    d = v128.or(d, line(at + 3 * part));
  }
  return bitsOf(a, b, c, d);
}

/** One vector of each line: the rest of it comes with that. @param bytes a multiple of 256 */
export function oneVectorOfEachLine(at: usize, bytes: usize): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (const end = at + bytes; at < end; at += 4 * LINE) {
    a = v128.or(a, v128.load(at));
    b = v128.or(b, v128.load(at, 64));
    c = v128.or(c, v128.load(at, 128));
    d = v128.or(d, v128.load(at, 192));
  }
  return bitsOf(a, b, c, d);
}

// @ts-ignore: decorator
@inline
function line(at: usize): v128 {
  const first = v128.or(v128.load(at), v128.load(at, 16));
  return v128.or(first, v128.or(v128.load(at, 32), v128.load(at, 48)));
}

// @ts-ignore: decorator
@inline
function bitsOf(a: v128, b: v128, c: v128, d: v128): i32 {
  return i32x4.bitmask(v128.or(v128.or(a, b), v128.or(c, d)));
}
