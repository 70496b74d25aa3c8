import { TriptychError } from "../../../shared/errors.ts";
import type { NodeDef, WeightSpec } from "../../../shared/graph_json.ts";
import type { GraphFiles } from "../../../shared/model_files.ts";

/** A graph that a plan cannot compute: what it would need, for a log. */
export class UncoveredGraphError extends TriptychError {
  override readonly name = "UncoveredGraphError";
  /** @param missing such as `the operation Sigmoid` */
  constructor(readonly missing: string, node: string) {
    super(`No plan can be made of the graph: at ${node} it needs ${missing}.`);
  }
}

/** TensorFlow's `NodeDef`, its numbers and byte strings decoded. */
export interface Node {
  name: string;
  op: string;
  input: string[];
  attr: Record<string, Attribute>;
}

interface Attribute {
  s: string | undefined;
  b: boolean | undefined;
  f: number | undefined;
  list: { i: number[] | undefined; s: string[] | undefined };
}

/** A weight as it lies in the shards. */
export interface StoredWeight {
  spec: WeightSpec;
  bytes: Uint8Array;
}

/** A graph model, taken apart. */
export interface Graph {
  nodes: Map<string, Node>;
  weights: Map<string, StoredWeight>;
  /** Name of the node that computes the embedding. */
  output: string;
}

/**
 * Reads a graph model.
 *
 * @throws {UncoveredGraphError} if it has several outputs
 */
export function readGraph({ modelJson, weights }: GraphFiles): Graph {
  const outputs = Object.values(modelJson.signature.outputs);
  if (outputs.length !== 1) throw new UncoveredGraphError("a single output", "its start");
  return {
    nodes: new Map(modelJson.modelTopology.node.map((node) => [node.name, decoded(node)])),
    weights: storedWeights(modelJson.weightsManifest.flatMap((group) => group.weights), weights),
    output: nodeName(outputs[0].name),
  };
}

function decoded({ name, op, input = [], attr }: NodeDef): Node {
  const attributes = Object.entries(attr).map(([key, { s, b, f, list }]): [string, Attribute] => {
    const lists = { i: list?.i?.map(Number), s: list?.s?.map((base64) => atob(base64)) };
    return [key, { s: s === undefined ? undefined : atob(s), b, f, list: lists }];
  });
  return { name, op, input, attr: Object.fromEntries(attributes) };
}

/** @throws {UncoveredGraphError} that names a use of an operation, such as `a dilated` Conv2D */
export function refuse(node: Node, what: string): never {
  throw new UncoveredGraphError(`${what} ${node.op}`, node.name);
}

/** The name of a node without the number of its output. */
export function nodeName(input: string): string {
  return input.replace(/:0$/, "");
}

/**
 * The values of a weight that is stored as it is.
 *
 * @throws {UncoveredGraphError} if it is quantised
 */
export function plainValues({ spec, bytes }: StoredWeight): Float32Array | Int32Array {
  if (spec.quantization !== undefined || spec.dtype === "bool") {
    throw new UncoveredGraphError("a constant of another format", spec.name);
  }
  const copy = bytes.slice().buffer;
  return spec.dtype === "int32" ? new Int32Array(copy) : new Float32Array(copy);
}

function storedWeights(specs: WeightSpec[], bytes: Uint8Array): Graph["weights"] {
  const weights: Graph["weights"] = new Map();
  let offset = 0;
  for (const spec of specs) {
    const count = spec.shape.reduce((product, size) => product * size, 1);
    const length = count * bytesOfFormat(spec);
    weights.set(spec.name, { spec, bytes: bytes.subarray(offset, offset + length) });
    offset += length;
  }
  return weights;
}

function bytesOfFormat({ dtype, quantization }: WeightSpec): number {
  if (quantization === undefined) return dtype === "bool" ? 1 : 4;
  return quantization.dtype === "uint8" ? 1 : 2;
}
