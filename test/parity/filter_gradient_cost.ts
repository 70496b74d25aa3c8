/**
 * Counts what the filter gradients of ResNet-18 at 112 px ask of a GPU: tfjs's kernel, and ours. Prints a table:
 *
 *     deno run --allow-read --allow-env --allow-sys test/parity/filter_gradient_cost.ts
 *
 * @module
 */
import { convGeometry, type Geometry } from "../../trainer/engines/geometry.ts";
import { TILE, tilesOf } from "../../trainer/engines/webgpu/kernels/conv2d_backprop_filter.ts";

/** What a shader asks of a GPU, counted and not measured. */
export interface Cost {
  /** Multiplications with an addition each, those of a tile's margin too. */
  products: number;
  /** Bytes that threads read and write outside their workgroup's memory. */
  bytes: number;
  /** Threads that there are to work at once. */
  threads: number;
  /** Terms that a thread sums one after another: what time is bound by where threads are few. */
  chain: number;
}

/** Of tfjs's kernel: a thread for each weight reads `x` and `dy` for each product. */
export function stockCost(geometry: Geometry): Cost {
  const positions = positionsOf(geometry), size = sizeOf(geometry);
  return { products: positions * size, bytes: 4 * (2 * positions * size + size), threads: size, chain: positions };
}

/** Of ours: a tile reads its part of `x` and `dy` once for all its products; the splits' sums are written, read and added. */
export function tiledCost(geometry: Geometry): Cost {
  const { rows, columns, split } = tilesOf(geometry);
  const size = sizeOf(geometry), tiles = rows * columns * split.count;
  const read = positionsOf(geometry) * (size / geometry.outChannels * columns + geometry.outChannels * rows);
  const sums = split.count === 1 ? size : size * (2 * split.count + 1);
  return {
    products: tiles * split.terms * TILE ** 2,
    bytes: 4 * (read + sums),
    threads: tiles * 256,
    chain: split.terms + (split.count > 1 ? split.count : 0),
  };
}

/** The convolutions of ResNet-18 at 112 px and batch 32, each with how many there are. */
export const RESNET18: readonly { name: string; count: number; geometry: Geometry }[] = [
  layer("7x7 / 2, 3 to 64, 112 px", 1, 117, 3, 64, 7, 2),
  layer("3x3, 64 to 64, 28 px", 4, 28, 64, 64, 3, 1),
  layer("3x3 / 2, 64 to 128, 28 px", 1, 29, 64, 128, 3, 2),
  layer("1x1 / 2, 64 to 128, 28 px", 1, 28, 64, 128, 1, 2),
  layer("3x3, 128 to 128, 14 px", 3, 14, 128, 128, 3, 1),
  layer("3x3 / 2, 128 to 256, 14 px", 1, 15, 128, 256, 3, 2),
  layer("1x1 / 2, 128 to 256, 14 px", 1, 14, 128, 256, 1, 2),
  layer("3x3, 256 to 256, 7 px", 3, 7, 256, 256, 3, 1),
  layer("3x3 / 2, 256 to 512, 7 px", 1, 9, 256, 512, 3, 2),
  layer("1x1 / 2, 256 to 512, 7 px", 1, 7, 256, 512, 1, 2),
  layer("3x3, 512 to 512, 4 px", 3, 4, 512, 512, 3, 1),
];

/** @param padded height and width of the input, with the zeros around it where the convolution strides */
function layer(name: string, count: number, padded: number, from: number, to: number, kernel: number, stride: number) {
  const attrs = { strides: stride, pad: stride === 1 ? "same" as const : "valid" as const };
  return { name, count, geometry: convGeometry([32, padded, padded, from], [kernel, kernel, from, to], attrs) };
}

function positionsOf({ batchSize, outHeight, outWidth }: Geometry): number {
  return batchSize * outHeight * outWidth;
}

function sizeOf({ filterHeight, filterWidth, inChannels, outChannels }: Geometry): number {
  return filterHeight * filterWidth * inChannels * outChannels;
}

if (import.meta.main) {
  const sum = { stock: 0, tiled: 0 };
  console.log("| layer | number | GFLOP | GB read and written: tfjs, ours | threads | longest sum |");
  console.log("|---|---|---|---|---|---|");
  for (const { name, count, geometry } of RESNET18) {
    const stock = stockCost(geometry), tiled = tiledCost(geometry);
    sum.stock += count * stock.bytes;
    sum.tiled += count * tiled.bytes;
    const gigabytes = [stock, tiled].map(({ bytes }) => (bytes / 1e9).toPrecision(3)).join(", ");
    const gigaflops = [stock, tiled].map(({ products }) => (2 * products / 1e9).toPrecision(3)).join(", ");
    const threads = `${stock.threads}, ${tiled.threads}`;
    console.log(`| ${name} | ${count} | ${gigaflops} | ${gigabytes} | ${threads} | ${stock.chain}, ${tiled.chain} |`);
  }
  console.log(`All layers of a step: ${(sum.stock / 1e9).toPrecision(3)} GB, ${(sum.tiled / 1e9).toPrecision(3)} GB.`);
}
