/**
 * Orders names by their code points, which is the order of their UTF-8 bytes and so that of every store. JavaScript's
 * own order differs where one has a character past U+FFFF.
 *
 * @returns below 0 if `a` comes first, above 0 if `b` does, 0 if they are equal
 */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return weight(a.charCodeAt(i)) - weight(b.charCodeAt(i));
  }
  return a.length - b.length;
}

/** Puts the halves of characters past U+FFFF after all others. */
function weight(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
