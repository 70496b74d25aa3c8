import { Addresses } from "./addresses.ts";
import { type Graph, UncoveredGraphError } from "./graph.ts";
import { aligned, type Framed, frameValues, isWinograd, pixelAt } from "./frames.ts";
import type { Step } from "./kernels.ts";
import { type Extent, isLinear, type Layer, type Linear, type Network, type Pool } from "./layers.ts";
import { DECODING_BYTES, type Packing } from "./pack.ts";

const FLOAT = 4;
/** Floats that a block of pixels reads and writes, so that they stay in the second cache while all filters pass by. */
const CACHED = 2 ** 16;
/** Values of a transformed tile, and tiles of a matrix product. */
const PLANES = 16, TILE = 6;
const MOST_TILES = 96;

/** A network bound to addresses. */
export interface Bound {
  framed: Framed[];
  /** Where the activations begin. */
  arena: number;
  /** Bytes of weights and tables, and of the activations and all that is only needed for a time. */
  bytes: { kept: number; arena: number; all: number };
  packings: Packing[];
  /** Room for {@link DECODING_BYTES}, where later activations lie. */
  room: number;
  /** Vectors and tables. */
  addresses: Addresses;
  /** What computes the network. */
  steps: Step[];
}

/** Gives every part of a network its address, and says which kernels compute it. */
export function bind(network: Network, graph: Graph): Bound {
  const { framed, bytes } = frameValues(network);
  return new Binding(network, framed, bytes, graph).all();
}

class Binding {
  readonly addresses = new Addresses();
  readonly packings: (Omit<Packing, "to"> & { to: number | null })[] = [];
  #scratch = 0;
  #temporary = 0;

  constructor(
    readonly network: Network,
    readonly framed: Framed[],
    readonly arenaBytes: number,
    readonly graph: Graph,
  ) {}

  all(): Bound {
    const { layers } = this.network;
    // Offsets within the arena are known only when all that lies before it is.
    const makers = layers.map((layer) => this.layer(layer));
    const arena = this.addresses.end, scratch = arena + this.arenaBytes;
    const room = arena + this.#temporary;
    const all = Math.max(scratch + aligned(this.#scratch), room + DECODING_BYTES);
    return {
      ...{ framed: this.framed, arena, addresses: this.addresses, room },
      bytes: { kept: arena, arena: all - arena, all },
      packings: this.packings.map((packing) => ({ ...packing, to: packing.to ?? arena })),
      steps: layers.flatMap((layer, i) => [...this.border(layer, arena), makers[i](arena, scratch)]),
    };
  }

  layer(layer: Layer): (arena: number, scratch: number) => Step {
    if (!isLinear(layer)) return (arena) => this.pool(layer, arena);
    if (layer.kind === "depthwise") return this.depthwise(layer);
    return isWinograd(layer, this.network.values) ? this.winograd(layer) : this.convolution(layer);
  }

  /** Where the arena was used by others before, zeros must be written again. */
  border({ output }: Layer, arena: number): Step[] {
    const { offset, zeros, height, width, bytes, rowBytes, pixelBytes } = this.framed[output];
    if (zeros.top + zeros.left + zeros.bottom + zeros.right === 0) return [];
    const args = [
      arena + offset,
      bytes / rowBytes,
      rowBytes / pixelBytes,
      pixelBytes,
      zeros.top,
      zeros.left,
      height,
      width,
    ];
    return [{ kernel: "clearBorder", args }];
  }

  convolution(layer: Linear): (arena: number) => Step {
    const { size, stride, zeros } = layer, input = this.framed[layer.input], output = this.framed[layer.output];
    const run = size.columns * input.channels;
    const filter = this.filter(layer, size.rows * run * output.channels * FLOAT);
    const { addresses } = this;
    const seen = addresses.table(output, input, stride), placed = addresses.table(output, output, UNIT);
    const share = stride.rows * stride.columns * input.channels + output.channels;
    const block = TILE * Math.max(1, Math.floor(CACHED / share / TILE));
    const ends = this.ends(layer);
    const added = layer.residual === null ? 0 : addresses.table(output, this.framed[layer.residual], UNIT);
    return (arena) => {
      const { bias, slopes, residual, bounds } = ends(arena);
      const from = [arena + pixelAt(input, -zeros.top, -zeros.left), seen, size.rows, input.rowBytes, run, filter];
      const to = [arena + pixelAt(output, 0, 0), placed, output.channels, bias, slopes, residual, added, ...bounds];
      return { kernel: "convolveFused", args: [...from, ...to, block, output.height * output.width] };
    };
  }

  winograd(layer: Linear): (arena: number, scratch: number) => Step {
    const { zeros } = layer, input = this.framed[layer.input], output = this.framed[layer.output];
    const floats = PLANES * input.channels * output.channels;
    const filter = this.filter(layer, floats * FLOAT, 9 * input.channels * output.channels * FLOAT);
    const tiles = Math.ceil(output.height / 2) * Math.ceil(output.width / 2);
    const cached = Math.floor(2 ** 17 / PLANES / (input.channels + output.channels) / TILE) * TILE;
    const block = Math.min(tiles, Math.max(TILE, Math.min(MOST_TILES, cached)));
    this.#scratch = Math.max(this.#scratch, PLANES * block * (input.channels + output.channels) * FLOAT);
    const seen = this.addresses.rows(block, input.pixelBytes), placed = this.addresses.rows(block, output.pixelBytes);
    const ends = this.ends(layer);
    return (arena, scratch) => {
      const { bias, slopes, residual, addedRow, bounds } = ends(arena);
      const from = [arena + pixelAt(input, -zeros.top, -zeros.left), input.rowBytes, input.channels, filter];
      const to = [arena + pixelAt(output, 0, 0), output.rowBytes, output.height, output.width, output.channels];
      const end = [bias, slopes, residual, addedRow, ...bounds];
      return { kernel: "winogradFused", args: [...from, ...to, ...end, block, scratch, seen, placed] };
    };
  }

  depthwise(layer: Linear): (arena: number) => Step {
    const { size, stride, zeros } = layer, input = this.framed[layer.input], output = this.framed[layer.output];
    const filter = this.filter(layer, size.rows * size.columns * output.channels * FLOAT);
    const ends = this.ends(layer);
    return (arena) => {
      const { bias, slopes, residual, addedRow, bounds } = ends(arena);
      const from = [arena + pixelAt(input, -zeros.top, -zeros.left), input.rowBytes, stride.rows, stride.columns];
      const to = [arena + pixelAt(output, 0, 0), output.rowBytes, output.height, output.width, output.channels];
      const end = [bias, slopes, residual, addedRow, ...bounds];
      return { kernel: "depthwiseFused", args: [...from, size.rows, size.columns, filter, ...to, ...end] };
    };
  }

  pool({ kind, zeros, outside, size, stride, ...layer }: Pool, arena: number): Step {
    const input = this.framed[layer.input], output = this.framed[layer.output];
    const height = input.height + zeros.top + zeros.bottom, width = input.width + zeros.left + zeros.right;
    const windows = [size.rows, size.columns, stride.rows, stride.columns, outside.top, outside.left];
    const from = [arena + pixelAt(input, -zeros.top, -zeros.left), input.rowBytes, height, width, ...windows];
    const to = [arena + pixelAt(output, 0, 0), output.rowBytes, output.height, output.width, output.channels];
    return { kernel: "pool", args: [...from, ...to, kind === "mean" ? 1 : 0] };
  }

  /** What a layer ends with, when the arena's address is known. */
  ends({ bias, bend, residual, output }: Linear) {
    const { channels } = this.framed[output];
    const biasAt = this.vector(bias ?? new Float32Array(channels), channels);
    const slopes = bend.slopes === null ? 0 : this.vector(bend.slopes, channels);
    const other = residual === null ? null : this.framed[residual];
    return (arena: number) => ({
      bias: biasAt,
      slopes,
      residual: other === null ? 0 : arena + pixelAt(other, 0, 0),
      addedRow: other?.rowBytes ?? 0,
      bounds: [bend.least, bend.most],
    });
  }

  /** @param untransformed bytes of the packed filter, where what is kept of it is the transformed one */
  filter({ kind, filter, input, size, output }: Linear, bytes: number, untransformed?: number): number {
    const { channels } = this.framed[output], stored = this.framed[input].channels;
    if (typeof filter !== "string") return this.vector(filter ?? new Float32Array(channels).fill(1), channels);
    const weight = this.graph.weights.get(filter);
    if (weight === undefined) throw new UncoveredGraphError("a weight that is not there", filter);
    const at = this.addresses.take(bytes), taps = size.rows * size.columns;
    const count = weight.spec.shape.reduce((product, length) => product * length, 1);
    const inner = kind === "depthwise" ? count / taps : count / taps / weight.spec.shape.at(-1)!;
    const outputs = kind === "depthwise" ? null : weight.spec.shape.at(-1)!;
    const target = untransformed === undefined ? { to: at, transformed: null } : { to: null, transformed: at };
    this.#temporary = Math.max(this.#temporary, aligned(untransformed ?? 0));
    this.packings.push({ filter: weight, shape: { taps, inner, outputs }, stored, ...target });
    return at;
  }

  /** A number for each channel as it is stored. */
  vector(values: Float32Array, channels: number): number {
    return this.addresses.vector(values, channels * FLOAT);
  }
}

const UNIT: Extent = { rows: 1, columns: 1 };
