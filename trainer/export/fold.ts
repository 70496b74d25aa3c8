import {
  type Affine,
  type Constant,
  consumersOf,
  type Convolution,
  type Graph,
  isLinear,
  type MatMul,
  type Node,
  outChannels,
} from "./ir.ts";

/**
 * Folds into each convolution and matrix what is linear around it: the batch normalisation behind it (Jacob et al. 2018,
 * section 3.2) and the zero padding before it. What has another taker, or an activation in between, stays.
 *
 * @returns a graph that computes the same up to rounding
 */
export function fold(graph: Graph): Graph {
  return foldPadding(foldAffine(graph));
}

function foldAffine(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const folded = sharedFolder();
  const nodes = new Map<string, Node>();
  for (const node of graph.nodes) {
    const before = nodes.get(node.inputs[0]);
    const alone = before !== undefined && consumers.get(before.name) === 1;
    if (node.op === "Affine" && alone && isLinear(before) && before.activation === null) {
      nodes.delete(before.name);
      const normalizations = [...before.normalizations ?? [], node.name];
      nodes.set(node.name, { ...before, ...folded(before, node), name: node.name, normalizations });
    } else if (node.op === "Affine" && alone && before.op === "Affine") {
      nodes.delete(before.name);
      nodes.set(node.name, composed(before, node));
    } else {
      nodes.set(node.name, node);
    }
  }
  return { ...graph, nodes: [...nodes.values()] };
}

type Folded = Pick<Convolution | MatMul, "kernel" | "bias">;

/** Folds, and gives the same weights again where a layer and its normalisation are shared. */
function sharedFolder(): (linear: Convolution | MatMul, affine: Affine) => Folded {
  const done: { kernel: Constant; bias: Constant | null; affine: Affine; result: Folded }[] = [];
  return (linear, affine) => {
    const known = done.find((one) =>
      one.kernel === linear.kernel && one.bias === linear.bias && sameValues(one.affine.scale, affine.scale) &&
      sameValues(one.affine.shift, affine.shift)
    );
    if (known !== undefined) return known.result;
    const result = scaled(linear, affine);
    done.push({ kernel: linear.kernel, bias: linear.bias, affine, result });
    return result;
  };
}

function scaled(linear: Convolution | MatMul, { scale, shift }: Affine): Folded {
  const { kernel, bias } = linear;
  const channels = outChannels(linear);
  const offset = Float32Array.from(shift, (value, i) => value + (bias?.values[i] ?? 0) * scale[i]);
  return {
    kernel: { ...kernel, values: kernel.values.map((value, i) => value * scale[i % channels]) },
    bias: { name: bias?.name ?? siblingName(kernel, "bias"), shape: [channels], values: offset },
  };
}

function composed(first: Affine, second: Affine): Affine {
  return {
    ...second,
    inputs: first.inputs,
    scale: second.scale.map((value, i) => value * first.scale[i]),
    shift: second.shift.map((value, i) => value + first.shift[i] * second.scale[i]),
  };
}

function foldPadding(graph: Graph): Graph {
  const pads = new Map<string, Node & { op: "PadV2" }>();
  for (const node of graph.nodes) {
    if (node.op === "PadV2" && node.channels === 0 && node.name !== graph.output) pads.set(node.name, node);
  }
  for (const node of graph.nodes) {
    const unpadded = isConvolution(node) && node.padding === "VALID";
    if (!unpadded) node.inputs.forEach((input) => pads.delete(input));
  }
  const nodes = graph.nodes.filter((node) => !pads.has(node.name)).map((node) => {
    const pad = pads.get(node.inputs[0]);
    return pad !== undefined && isConvolution(node) ? { ...node, inputs: pad.inputs, padding: pad.borders } : node;
  });
  return { ...graph, nodes };
}

function isConvolution(node: Node): node is Convolution {
  return node.op === "Conv2D" || node.op === "DepthwiseConv2dNative";
}

function sameValues(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The name of another weight of the same layer: `stem/kernel` to `stem/bias`. */
export function siblingName(constant: Constant, name: string): string {
  return constant.name.replace(/[^/]*$/, name);
}
