// Not `import { z }`, an object of which a bundle for browsers would take all.
import * as z from "zod";

const Whole = z.union([z.string(), z.number()]);

/** As much of TensorFlow's `AttrValue` as inference reads. */
const AttributeDef = z.looseObject({
  s: z.base64().optional(),
  b: z.boolean().optional(),
  f: z.number().optional(),
  shape: z.object({ dim: z.array(z.object({ size: Whole })).optional() }).optional(),
  list: z.looseObject({ i: z.array(Whole).optional(), s: z.array(z.base64()).optional() }).optional(),
});

/** TensorFlow's `NodeDef` as JSON: 64-bit numbers are decimal strings, byte strings are base64. */
export const NodeDef = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).optional(),
  attr: z.record(z.string(), AttributeDef),
});
export type NodeDef = z.infer<typeof NodeDef>;

/** One weight as tfjs's manifest describes it. */
export const WeightSpec = z.object({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(["float32", "int32", "bool"]),
  quantization: z.object({
    dtype: z.enum(["uint8", "uint16", "float16"]),
    scale: z.number().optional(),
    min: z.number().optional(),
    original_dtype: z.string().optional(),
  }).optional(),
});
export type WeightSpec = z.infer<typeof WeightSpec>;

/** A tfjs graph model's `model.json`, without a card. */
export const GraphJson = z.object({
  format: z.literal("graph-model"),
  modelTopology: z.looseObject({ node: z.array(NodeDef) }),
  signature: z.looseObject({ outputs: z.record(z.string(), z.looseObject({ name: z.string() })) }),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(WeightSpec) })),
});
/** With what tfjs wants beside it. */
export type GraphJson = z.infer<typeof GraphJson> & { generatedBy: string; convertedBy: string | null };
