import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";
import type { Layout } from "./layout.ts";
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

type Tensors = ReadonlyMap<string, StoredTensor>;

/** Where each weight of a network comes from. */
interface Plan {
  report: ImportReport;
  slots: Slot[];
  tensors: Tensors;
}

/** Training steps counted by PyTorch's BatchNorm. */
const COUNTER = ".num_batches_tracked";

/**
 * Puts the weights of a framework into the backbone of a network. Layers that have no name in the file, such as the
 * embedding's, stay as they are. A network of grey images takes the stem's kernel of RGB images summed over the colours,
 * and then sees what the other sees of a grey image in RGB.
 *
 * @param backbone a key of `layout.names`; of several ways to name its layers, that under which most tensors are found is taken
 * @param tensors of a file, by name
 * @param file its name, for errors
 * @returns the report, in which nothing is missing or mismatched
 * @throws {ModelError} that names what is missing, mismatched or not finite; the network is then unchanged
 */
export function importWeights(
  model: tf.LayersModel,
  backbone: string,
  tensors: Tensors,
  layout: Layout,
  file: string,
): ImportReport {
  const { report, slots, tensors: adapted } = plan(model, backbone, tensors, layout);
  const faults = [
    ...report.missing.map((name) => `${name} is missing`),
    ...report.mismatched.map(({ name, expected, actual }) => `${name} is [${actual}] instead of [${expected}]`),
  ];
  if (faults.length > 0) {
    const more = faults.length > 3 ? ` and ${faults.length - 3} more` : "";
    throw new ModelError(
      `The weight file ${file} does not fit the backbone ${backbone}: ${faults.slice(0, 3).join(", ")}${more}; ` +
        `give weights of this architecture under ${layout.owner} names.`,
    );
  }
  // All are read before the first is written, so that a damaged file leaves the network as it was.
  const values = slots.map(({ name }) => finite(adapted.get(name)!.read(), name, file));
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
  backbone: string,
  tensors: Tensors,
  layout: Layout,
): ImportReport {
  return plan(model, backbone, tensors, layout).report;
}

function plan(model: tf.LayersModel, backbone: string, tensors: Tensors, layout: Layout): Plan {
  const plans = layout.names[backbone].map((nameOf) => {
    const slots = slotsOf(model, layout, nameOf);
    const adapted = withGreyStem(slots, layout.adapted(model, tensors, nameOf));
    return { slots, tensors: adapted, report: compare(slots, adapted) };
  });
  return plans.reduce((best, next) => next.report.matched.length > best.report.matched.length ? next : best);
}

function compare(slots: Slot[], tensors: Tensors): ImportReport {
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

function slotsOf(model: tf.LayersModel, layout: Layout, nameOf: NameMap): Slot[] {
  return model.layers.flatMap((layer) => {
    const prefix = nameOf(layer.name);
    if (prefix === undefined) return [];
    return layer.weights.map((weight) => {
      const kind = weight.originalName.split("/").at(-1)!;
      const ours = weight.shape as number[];
      const axes = layout.axes(kind, ours.length);
      const shape = new Array<number>(ours.length);
      axes.forEach((axis, i) => shape[axis] = ours[i]);
      return { weight, name: layout.tensorName(prefix, kind), shape, axes };
    });
  });
}

/** Where the first convolution takes one channel and the file's takes three, sums the file's over them. */
function withGreyStem([stem]: Slot[], tensors: Tensors): Tensors {
  const rgb = tensors.get(stem.name);
  const axis = stem.axes[2];
  if (rgb === undefined || stem.shape[axis] !== 1 || `${rgb.shape}` !== `${stem.shape.with(axis, 3)}`) return tensors;
  const grey = { ...rgb, shape: stem.shape, read: () => summed(rgb, axis) };
  return new Map(tensors).set(stem.name, grey);
}

function summed({ shape, read }: StoredTensor, axis: number): Float32Array<ArrayBuffer> {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const values = read();
  const sums = new Float32Array(values.length / shape[axis]);
  values.forEach((value, i) => sums[Math.floor(i / (inner * shape[axis])) * inner + i % inner] += value);
  return sums;
}
