import { type Constant, type Convolution, type Graph, outChannels } from "../ir.ts";
import { siblingName } from "../fold.ts";

/** The largest weight in whole numbers. */
export const WEIGHT_MAX = 127;

/**
 * Rounds the kernel of every convolution to whole numbers from -127 to 127, with a scale for each output channel
 * (Krishnamoorthi 2018, section 3.1.1), and counts its bias in units of that scale. Each gets a bias, for it to be corrected.
 */
export function quantizeKernels(graph: Graph): Graph {
  const done = new Map<Constant, ReturnType<typeof quantized>>();
  const nodes = graph.nodes.map((node) => {
    if (node.op !== "Conv2D" && node.op !== "DepthwiseConv2dNative") return node;
    const { kernel, scale } = done.get(node.kernel) ?? quantized(node);
    done.set(node.kernel, { kernel, scale });
    const { name, values } = node.bias ??
      { name: siblingName(kernel, "bias"), values: new Float32Array(scale.values.length) };
    const bias = { name, shape: scale.shape, values: values.map((value, i) => value / scale.values[i]) };
    return { ...node, kernel, scale, bias };
  });
  return { ...graph, nodes };
}

function quantized(node: Convolution): { kernel: Constant; scale: Constant } {
  const { kernel } = node, channels = outChannels(node);
  const largest = new Float32Array(channels);
  kernel.values.forEach((value, i) => largest[i % channels] = Math.max(largest[i % channels], Math.abs(value)));
  // A channel without weights has any scale.
  const scales = largest.map((value) => value === 0 ? 1 : value / WEIGHT_MAX);
  return {
    kernel: { ...kernel, values: kernel.values.map((value, i) => Math.round(value / scales[i % channels])) },
    scale: { name: siblingName(kernel, "scale"), shape: [channels], values: scales },
  };
}
