import { addOuterProducts, TILE, TILE_BYTES } from "./filter_gradient";
import { FLOAT, PANEL, PANEL_ROW, VECTOR } from "./simd";
import { transformPatch } from "./winograd";

/**
 * Gradient of a convolution with 3x3 filters at stride 1 by the transformed filters of `winograd`: for each of the 16 values of a tile the
 * sum over the tiles of what it takes from the input, times what it gives to the gradient.
 *
 * @param input `[.., frameHeight, frameWidth, inner]`, two rows and columns larger than the tiles
 * @param gradient of the output, `[.., height, width, channels]`
 * @param down, across tiles of an image
 * @param tiles of all images
 * @param part tiles whose sums are kept apart from those of others
 * @param block tiles that are gone through at a time
 * @param scratch for each thread `16 * block * (inner + channels)` floats, with the channels rounded up to eights
 * @param seen offsets of the rows of a matrix `[block, inner]`
 * @param sums `[parts, 16, panels, inner / 6, 6, 8]`, rounded up
 * @param first, last parts
 * @param thread the number of the thread
 */
export function winogradSums(
  input: usize,
  imageBytes: usize,
  rowBytes: usize,
  inner: i32,
  gradient: usize,
  height: i32,
  width: i32,
  channels: i32,
  down: i32,
  across: i32,
  tiles: i32,
  part: i32,
  block: i32,
  scratch: usize,
  seen: usize,
  sums: usize,
  first: i32,
  last: i32,
  thread: i32,
): void {
  const panels = (channels + 7) >> 3, innerTiles = (inner + TILE - 1) / TILE;
  const seenPlane = <usize>(block * inner) * FLOAT, slopePlane = <usize>(block * panels) * PANEL_ROW;
  const sumsPlane = <usize>(panels * innerTiles) * TILE_BYTES;
  const patches = scratch + <usize>thread * 16 * (seenPlane + slopePlane);
  const slopes = patches + 16 * seenPlane;
  for (let p = first; p < last; p++) {
    const end = min(tiles, (p + 1) * part);
    for (let start = p * part; start < end; start += block) {
      const count = min(block, end - start);
      for (let i = 0; i < count; i++) {
        const tile = start + i, n = tile / (down * across);
        const row = 2 * (tile / across - n * down), column = 2 * (tile % across);
        const from = input + <usize>n * imageBytes + <usize>row * rowBytes + <usize>(column * inner) * FLOAT;
        transformPatch(from, rowBytes, inner, patches + <usize>(i * inner) * FLOAT, seenPlane);
        const dy = gradient + <usize>(((n * height + row) * width + column) * channels) * FLOAT;
        const rows = min(2, height - row), columns = min(2, width - column);
        spreadSlopes(dy, width, channels, rows, columns, slopes + <usize>i * PANEL_ROW, block, slopePlane);
      }
      for (let plane: usize = 0; plane < 16; plane++) {
        let to = sums + (<usize>p * 16 + plane) * sumsPlane;
        for (let panel = 0; panel < panels; panel++) {
          const b = slopes + plane * slopePlane + <usize>(panel * block) * PANEL_ROW;
          for (let c = 0; c < inner; c += TILE, to += TILE_BYTES) {
            const a = patches + plane * seenPlane + <usize>c * FLOAT;
            addOuterProducts(a, seen, b, 0, count, to, start === p * part);
          }
        }
      }
    }
  }
}

/** `A dy A'` of one tile, packed in panels, four channels at a time; pixels that there are not count as zeros. */
@inline
function spreadSlopes(
  dy: usize,
  width: i32,
  channels: i32,
  rows: i32,
  columns: i32,
  to: usize,
  block: i32,
  plane: usize,
): void {
  const pixel = <usize>channels * FLOAT, below = <usize>width * pixel;
  const zero = f32x4.splat(0);
  for (let channel = 0; channel < channels; channel += 4, dy += VECTOR) {
    const y00 = v128.load(dy), y01 = columns > 1 ? v128.load(dy + pixel) : zero;
    const y10 = rows > 1 ? v128.load(dy + below) : zero;
    const y11 = rows > 1 && columns > 1 ? v128.load(dy + below + pixel) : zero;
    const panel = channel / PANEL;
    const at = to + <usize>(panel * block) * PANEL_ROW + <usize>(channel - panel * PANEL) * FLOAT;
    storeSlopes(y00, y01, at, plane);
    storeSlopes(f32x4.add(y00, y10), f32x4.add(y01, y11), at + 4 * plane, plane);
    storeSlopes(f32x4.sub(y00, y10), f32x4.sub(y01, y11), at + 8 * plane, plane);
    storeSlopes(f32x4.neg(y10), f32x4.neg(y11), at + 12 * plane, plane);
  }
}

@inline
function storeSlopes(left: v128, right: v128, to: usize, plane: usize): void {
  v128.store(to, left);
  v128.store(to + plane, f32x4.add(left, right));
  v128.store(to + 2 * plane, f32x4.sub(left, right));
  v128.store(to + 3 * plane, f32x4.neg(right));
}

/**
 * Adds up the parts of `winogradSums` and transforms them to the gradient of the filters: `G' s G` of each.
 *
 * @param filter `[3, 3, inner, channels]`
 * @param first, last panels times inner channels
 */
export function joinWinogradSums(
  sums: usize,
  parts: i32,
  filter: usize,
  inner: i32,
  channels: i32,
  first: i32,
  last: i32,
): void {
  const panels = (channels + 7) >> 3, innerTiles = (inner + TILE - 1) / TILE;
  const plane = <usize>(panels * innerTiles) * TILE_BYTES;
  const tap = <usize>(inner * channels) * FLOAT;
  for (let unit = first; unit < last; unit++) {
    const panel = unit / inner, c = unit - panel * inner;
    const from = sums + <usize>(panel * innerTiles) * TILE_BYTES + <usize>c * PANEL_ROW;
    const to = filter + <usize>(c * channels + panel * PANEL) * FLOAT;
    joinTaps(from, plane, parts, to, tap);
    if (channels - panel * PANEL > 4) joinTaps(from + VECTOR, plane, parts, to + VECTOR, tap);
  }
}

/** Of four channels. */
function joinTaps(from: usize, plane: usize, parts: i32, to: usize, tap: usize): void {
  for (let row: usize = 0; row < 3; row++, to += 3 * tap) {
    const r0 = joinColumn(from, plane, parts, row), r1 = joinColumn(from + plane, plane, parts, row);
    const r2 = joinColumn(from + 2 * plane, plane, parts, row), r3 = joinColumn(from + 3 * plane, plane, parts, row);
    const even = f32x4.mul(f32x4.splat(0.5), f32x4.add(r1, r2));
    v128.store(to, f32x4.add(r0, even));
    v128.store(to + tap, f32x4.mul(f32x4.splat(0.5), f32x4.sub(r1, r2)));
    v128.store(to + 2 * tap, f32x4.add(even, r3));
  }
}

/** A row of `G'` times a column of the sums. */
function joinColumn(column: usize, plane: usize, parts: i32, row: usize): v128 {
  const half = f32x4.splat(0.5);
  const s1 = allParts(column + 4 * plane, plane, parts), s2 = allParts(column + 8 * plane, plane, parts);
  if (row === 1) return f32x4.mul(half, f32x4.sub(s1, s2));
  const outer = allParts(row === 0 ? column : column + 12 * plane, plane, parts);
  return f32x4.add(f32x4.mul(half, f32x4.add(s1, s2)), outer);
}

@inline
function allParts(from: usize, plane: usize, parts: i32): v128 {
  let sum = v128.load(from);
  for (let p = 1; p < parts; p++) sum = f32x4.add(sum, v128.load(from + <usize>p * 16 * plane));
  return sum;
}
