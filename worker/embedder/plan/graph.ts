// Not `import { z }`, an object of which a bundle for browsers would take all.
import * as z from "zod";
import { TriptychError } from "../../../shared/errors.ts";
import type { GraphFiles, WeightSpec } from "../../../shared/model_files.ts";

/** A graph that a plan cannot compute: what it would need, for a log. */
export class UncoveredGraphError extends TriptychError {
  override readonly name = "UncoveredGraphError";
  /** @param missing such as `the operation Sigmoid` */
  constructor(readonly missing: string, node: string) {
    super(`No plan can be made of the graph: at ${node} it needs ${missing}.`);
  }
}

const Whole = z.union([z.string(), z.number()]).transform(Number);

// The function itself would be called on an object of zod's, which workerd refuses.
const Text = z.string().transform((base64) => atob(base64));

/** The parts of TensorFlow's `AttrValue` that operations of inference have; byte strings are base64. */
const Attribute = z.object({
  s: Text.optional(),
  b: z.boolean().optional(),
  f: z.number().optional(),
  list: z.object({
    i: z.array(Whole).optional(),
    s: z.array(Text).optional(),
  }).optional(),
});

const Node = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), Attribute).default({}),
});

/** TensorFlow's `NodeDef`. */
export type Node = z.infer<typeof Node>;

const Topology = z.object({ node: z.array(Node) });
const Signature = z.object({ outputs: z.record(z.string(), z.object({ name: z.string() })) });

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
 * @throws {UncoveredGraphError} if it is none, or has several outputs
 */
export function readGraph({ modelJson, weights }: GraphFiles): Graph {
  const topology = Topology.safeParse(modelJson.modelTopology), signature = Signature.safeParse(modelJson.signature);
  const outputs = Object.values(signature.data?.outputs ?? {});
  if (!topology.success || outputs.length !== 1) {
    throw new UncoveredGraphError("a topology as the tfjs converter writes it, with one output", "its start");
  }
  return {
    nodes: new Map(topology.data.node.map((node) => [node.name, node])),
    weights: storedWeights(modelJson.weightsManifest.flatMap((group) => group.weights), weights),
    output: nodeName(outputs[0].name),
  };
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
