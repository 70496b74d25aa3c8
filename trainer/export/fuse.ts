import { type Activation, consumersOf, type Graph, isLinear, type Node } from "./ir.ts";

/**
 * Moves each activation into the convolution or matrix before it, where nothing else takes that one's value, so that it
 * runs as one kernel (`_FusedConv2D`, `FusedDepthwiseConv2dNative`, `_FusedMatMul`).
 *
 * @returns a graph that computes the same
 */
export function fuse(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes) {
    const before = nodes.get(node.inputs[0]);
    const fits = node.op === "Activate" && isLinear(before) && before.activation === null &&
      consumers.get(before.name) === 1 && isFusable(before.op, node.activation);
    if (fits) {
      nodes.delete(before.name);
      nodes.set(node.name, { ...before, name: node.name, activation: node.activation });
    } else {
      nodes.set(node.name, node);
    }
  }
  return { ...graph, nodes: [...nodes.values()] };
}

function isFusable(op: Node["op"], activation: Activation): boolean {
  switch (activation.kind) {
    case "Relu":
    case "Relu6":
    case "Elu":
    case "Sigmoid":
      return true;
    case "Prelu":
      // One slope a channel: the fused kernels know no other.
      return activation.alpha.shape.length === 1;
    case "LeakyRelu":
      // The converter reads no slope for the depthwise operation.
      return op !== "DepthwiseConv2dNative";
    default:
      return false;
  }
}
