import { inputsOf, isLinear, type Layer, type Linear, type Network, STRAIGHT, valuesOf } from "./layers.ts";

/** Moves sums and bends into the convolution before them, where nothing else reads what that computes. */
export function fuse(network: Network): Network {
  let layers: Layer[] = [];
  const readers = readersOf(network);
  for (const layer of network.layers) {
    const merged = merge(layer, layers, readers);
    if (merged === undefined) layers.push(layer);
    else layers = [...layers.filter(({ output }) => output !== merged.replaced), merged.layer];
  }
  return { ...network, layers };
}

function readersOf({ layers, output }: Network): Map<number, number> {
  const readers = new Map(valuesOf(output).map((value) => [value, 1]));
  for (const value of layers.flatMap(inputsOf)) readers.set(value, (readers.get(value) ?? 0) + 1);
  return readers;
}

/** A layer that passes its input through, as the end of the layer before it, in whose stead it then stands. */
function merge(
  layer: Layer,
  before: Layer[],
  readers: Map<number, number>,
): { layer: Linear; replaced: number } | undefined {
  if (!isLinear(layer) || !passesThrough(layer)) return undefined;
  const { input, residual } = layer;
  const orders = residual === null
    ? [[input, null] as const]
    : [[input, residual] as const, [residual, input] as const];
  const candidates = orders.map(([from, other]) => ({ other, at: before.findIndex(({ output }) => output === from) }))
    // The later of two is warm in the cache.
    .sort((a, b) => b.at - a.at);
  for (const { other, at } of candidates) {
    const first = before[at];
    if (first === undefined || readers.get(first.output) !== 1 || !isLinear(first) || first.bend !== STRAIGHT) continue;
    if (other !== null && first.residual !== null) continue;
    const ended = { ...first, residual: first.residual ?? other, bend: layer.bend, output: layer.output };
    return { layer: ended, replaced: first.output };
  }
  return undefined;
}

function passesThrough({ kind, filter, bias, zeros }: Linear): boolean {
  return kind === "depthwise" && filter === null && bias === null && Object.values(zeros).every((count) => count === 0);
}
