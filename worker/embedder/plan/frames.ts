import { inputsOf, isLinear, type Layer, type Network, NO_SIDES, type Sides, type Value, valuesOf } from "./layers.ts";

/** Channels of a panel of weights; activations have a multiple of them. */
export const PANEL = 8;
const FLOAT = 4;
const ALIGNMENT = 64;
/** Tiles of 2x2 pixels from which on the transforms of Winograd's algorithm pay. */
const FEWEST_TILES = 16;
/** Numbers of a filter that may grow by them, to 16/9 of its size: the large ones are most of a network. */
const MOST_WEIGHTS = 9 * 256 * 256;

/** How a value lies in memory: `[height, width, channels]` within a frame of zeros. */
export interface Framed {
  height: number;
  width: number;
  /** As they are stored: those that the value lacks are zero. */
  channels: number;
  /** Zeros around the image. */
  zeros: Sides;
  pixelBytes: number;
  rowBytes: number;
  bytes: number;
  /** Where the frame begins, bytes from the start of all activations. */
  offset: number;
}

/** Whether a layer is computed by Winograd's algorithm. */
export function isWinograd(
  layer: Layer,
  values: readonly { height: number; width: number; channels: number }[],
): boolean {
  const { kind, size, stride } = layer, input = values[layer.input], { height, width, channels } = values[layer.output];
  return kind === "convolution" && size.rows === 3 && size.columns === 3 && stride.rows === 1 && stride.columns === 1 &&
    Math.ceil(height / 2) * Math.ceil(width / 2) >= FEWEST_TILES && 9 * input.channels * channels <= MOST_WEIGHTS;
}

/** Gives every value a frame with as many zeros as its readers see, and a place where nothing else lies while it is needed. */
export function frameValues({ values, layers, output }: Network): { framed: Framed[]; bytes: number } {
  const framed = values.map(({ height, width, channels }, value): Framed => {
    const readers = layers.filter(({ input }) => input === value);
    // The image is read number by number, by convolutions.
    const isImage = value === 0 && readers.every((layer) => layer.kind === "convolution" && !isWinograd(layer, values));
    const stored = isImage ? channels : PANEL * Math.ceil(channels / PANEL);
    const zeros = readers.map((layer) => seenBy(layer, values)).reduce(larger, NO_SIDES);
    return frameOf({ height, width, channels: stored }, zeros, FLOAT);
  });
  return { framed, bytes: place(framed, lifetimes(layers, values.length, valuesOf(output))) };
}

/** A frame that has no place yet. @param bytes of a number */
export function frameOf({ height, width, channels }: Value, zeros: Sides, bytes: number): Framed {
  const pixelBytes = channels * bytes, rowBytes = (width + zeros.left + zeros.right) * pixelBytes;
  const all = (height + zeros.top + zeros.bottom) * rowBytes;
  return { height, width, channels, zeros, pixelBytes, rowBytes, bytes: all, offset: 0 };
}

/** Where a pixel lies, bytes from the start of all activations; it may be one of the frame's. */
export function pixelAt({ offset, zeros, rowBytes, pixelBytes }: Framed, row: number, column: number): number {
  return offset + (row + zeros.top) * rowBytes + (column + zeros.left) * pixelBytes;
}

/** The zeros that a layer reads around its input. */
function seenBy(layer: Layer, values: Network["values"]): Sides {
  const { zeros, size, stride } = layer;
  const input = values[layer.input], output = values[layer.output];
  if (!isLinear(layer)) return zeros;
  const winograd = isWinograd(layer, values);
  const seen = (count: number, stride: number, size: number) =>
    winograd ? 2 * Math.ceil(count / 2) + 2 : (count - 1) * stride + size;
  return {
    top: zeros.top,
    left: zeros.left,
    bottom: Math.max(0, seen(output.height, stride.rows, size.rows) - zeros.top - input.height),
    right: Math.max(0, seen(output.width, stride.columns, size.columns) - zeros.left - input.width),
  };
}

/** The larger number of each side. */
export function larger(a: Sides, b: Sides): Sides {
  const { max } = Math;
  return {
    top: max(a.top, b.top),
    left: max(a.left, b.left),
    bottom: max(a.bottom, b.bottom),
    right: max(a.right, b.right),
  };
}

/** From the layer that writes a value to the last one that reads it, by their places; the image is there before the first. */
function lifetimes(layers: Layer[], count: number, outputs: number[]): { first: number; last: number }[] {
  return Array.from({ length: count }, (_, value) => {
    const first = layers.findIndex((layer) => layer.output === value);
    const last = layers.findLastIndex((layer) => inputsOf(layer).includes(value));
    return { first, last: outputs.includes(value) ? layers.length : Math.max(first, last) };
  });
}

/**
 * Gives frames their places: the largest first, each at the lowest offset that is free as long as it is needed.
 *
 * @param lives from the layer that writes a value to the last one that reads it
 * @returns bytes of all
 */
export function place(framed: Framed[], lives: { first: number; last: number }[]): number {
  const placed: number[] = [];
  let total = 0;
  // What was fused away is never there; the image always was.
  const order = [...framed.keys()].filter((value) => value === 0 || lives[value].first >= 0).sort((a, b) =>
    framed[b].bytes - framed[a].bytes
  );
  for (const value of order) {
    const { first, last } = lives[value];
    const others = placed.filter((other) => lives[other].first <= last && first <= lives[other].last)
      .map((other) => framed[other]).sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of others) {
      if (offset + framed[value].bytes <= other.offset) break;
      offset = Math.max(offset, aligned(other.offset + other.bytes));
    }
    framed[value].offset = offset;
    placed.push(value);
    total = Math.max(total, aligned(offset + framed[value].bytes));
  }
  return total;
}

/** Rounded up to a whole line of the cache. */
export function aligned(bytes: number): number {
  return ALIGNMENT * Math.ceil(bytes / ALIGNMENT);
}
