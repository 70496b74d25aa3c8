import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";
import type { NameMap } from "./names.ts";
import type { StoredTensor } from "./safetensors.ts";

/** A tensor that is there in another shape. */
export interface ShapeMismatch {
  name: string;
  /** What the network needs, in the file's layout. */
  expected: number[];
  actual: number[];
}

/** How a file's tensors fit a network. */
export interface ImportReport {
  /** Tensors that were found, each in its shape. */
  matched: string[];
  /** Tensors that the network needs and the file lacks. */
  missing: string[];
  /** Tensors that the file has and the network has no place for: a classifier, mostly. */
  unexpected: string[];
  mismatched: ShapeMismatch[];
}

/** One weight of a layer: where it comes from and how it is turned. */
interface Slot {
  weight: tf.LayerVariable;
  name: string;
  /** In the file's layout. */
  shape: number[];
  /** The file's axis that becomes each of ours. */
  axes: number[];
}

/** Training steps counted by PyTorch's BatchNorm. */
const COUNTER = ".num_batches_tracked";

/**
 * Puts PyTorch weights into the backbone of a network. Convolutions turn from `[out, in, height, width]` to
 * `[height, width, in, out]`, depthwise ones from `[channels, 1, height, width]` to `[height, width, channels, 1]`. Layers
 * that have no name in the file, such as the embedding's, stay as they are.
 *
 * @param tensors of a file, by name
 * @param maps names to try; the one under which most tensors are found is taken
 * @returns the report, in which nothing is missing or mismatched
 * @throws {ModelError} that names what is missing, mismatched or not finite; the network is then unchanged
 */
export function importWeights(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
  maps: readonly NameMap[],
  file: string,
): ImportReport {
  const { report, slots } = plan(model, tensors, maps);
  const faults = [
    ...report.missing.map((name) => `${name} is missing`),
    ...report.mismatched.map(({ name, expected, actual }) => `${name} is [${actual}] instead of [${expected}]`),
  ];
  if (faults.length > 0) {
    const more = faults.length > 3 ? ` and ${faults.length - 3} more` : "";
    throw new ModelError(
      `The weight file ${file} does not fit the backbone ${model.name}: ${faults.slice(0, 3).join(", ")}${more}; ` +
        `give weights of this architecture under torchvision's or timm's names.`,
    );
  }
  // All are read before the first is written, so that a damaged file leaves the network as it was.
  const values = slots.map(({ name }) => finite(tensors.get(name)!.read(), name, file));
  slots.forEach(({ weight, shape, axes }, i) => {
    tf.tidy(() => void weight.write(tf.transpose(tf.tensor(values[i], shape), axes)));
  });
  return report;
}

function finite(values: Float32Array, name: string, file: string): Float32Array {
  if (values.every(Number.isFinite)) return values;
  throw new ModelError(`The tensor ${name} of ${file} has values that are not finite; take another file.`);
}

/** How a file's tensors would fit a network, which stays as it is. */
export function compareWeights(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
  maps: readonly NameMap[],
): ImportReport {
  return plan(model, tensors, maps).report;
}

function plan(
  model: tf.LayersModel,
  tensors: ReadonlyMap<string, StoredTensor>,
  maps: readonly NameMap[],
): { report: ImportReport; slots: Slot[] } {
  const plans = maps.map((map) => {
    const slots = slotsOf(model, map);
    return { slots, report: compare(slots, tensors) };
  });
  return plans.reduce((best, next) => next.report.matched.length > best.report.matched.length ? next : best);
}

function compare(slots: Slot[], tensors: ReadonlyMap<string, StoredTensor>): ImportReport {
  const report: ImportReport = { matched: [], missing: [], unexpected: [], mismatched: [] };
  for (const { name, shape } of slots) {
    const tensor = tensors.get(name);
    if (!tensor) report.missing.push(name);
    else if (`${tensor.shape}` === `${shape}`) report.matched.push(name);
    else report.mismatched.push({ name, expected: shape, actual: tensor.shape });
  }
  const wanted = new Set(slots.map((slot) => slot.name));
  report.unexpected = [...tensors.keys()].filter((name) => !wanted.has(name) && !name.endsWith(COUNTER));
  return report;
}

function slotsOf(model: tf.LayersModel, map: NameMap): Slot[] {
  return model.layers.flatMap((layer) => {
    const prefix = map(layer.name);
    if (prefix === undefined || layer.weights.length === 0) return [];
    const names = TENSORS[layer.getClassName()];
    return layer.weights.map((weight, i) => slotOf(weight, `${prefix}.${names[i]}`, layer.getClassName()));
  });
}

/** PyTorch's names of a layer's weights, in the order of tf.layers. */
const TENSORS: Record<string, string[]> = {
  Conv2D: ["weight", "bias"],
  DepthwiseConv2D: ["weight", "bias"],
  Dense: ["weight", "bias"],
  BatchNormalization: ["weight", "bias", "running_mean", "running_var"],
};

/** The file's axis that becomes each of ours, by class and rank of the weight. */
function slotOf(weight: tf.LayerVariable, name: string, className: string): Slot {
  const ours = weight.shape as number[];
  const axes = ours.length === 4
    ? className === "DepthwiseConv2D" ? [2, 3, 0, 1] : [2, 3, 1, 0]
    : ours.length === 2
    ? [1, 0]
    : [0];
  const shape = new Array<number>(ours.length);
  axes.forEach((axis, i) => shape[axis] = ours[i]);
  return { weight, name, shape, axes };
}
