import type * as tf from "@tensorflow/tfjs";
import { tensor1d, tidy } from "@tensorflow/tfjs";
import type { Activations } from "../shared/card.ts";
import { messageOf, ModelError } from "../shared/errors.ts";
import { replaceFile } from "../shared/replace_file.ts";
import { sha256 } from "../shared/sha256.ts";
import { concatenate } from "./concatenate.ts";
import { Config } from "./config.ts";
import type { EpochSummary } from "./fit.ts";
import { type Optimizer, variablesOf, type WeightAverage } from "./optimizers/mod.ts";

/** What one epoch of training was like. */
export interface EpochRecord extends EpochSummary {
  /** Recall@1 on the identities to watch by, where there are some. */
  valRecallAt1?: number;
}

/** The groups of tensors in a checkpoint; some may be empty. */
const GROUPS = ["weights", "loss", "slots", "average", "best"] as const;

/** Tensors of a run: the network's weights and moving statistics, the loss's variables, the optimiser's slots, the averaged and the best weights. */
export type CheckpointTensors = Record<typeof GROUPS[number], Float32Array[]>;

/** A run between two steps: everything that the next step depends on, besides the data. */
export interface Checkpoint {
  config: Config;
  /** Steps done. */
  step: number;
  /** Seconds of training so far. */
  seconds: number;
  /** The engine that it was trained on last. */
  engine: string;
  /** Where the photos were, and which they were. */
  data: string;
  dataHash: string;
  /** Which photos of the gallery there were. */
  galleryHash: string;
  history: EpochRecord[];
  /** Steps that the optimiser took: batches that were skipped are not among them. */
  optimizerStep: number;
  /** Updates that went into the averaged weights. */
  averageUpdates: number;
  /** For each identity those that are most alike, where batches are drawn by it. */
  alike?: number[][] | undefined;
  /** What is left of the learning rate after the run was rescued, as a factor. */
  rateFactor: number;
  /** The grids with which the network trains for int8, once it does. */
  activations?: Activations | undefined;
  tensors: CheckpointTensors;
}

const FILE = "checkpoint.bin";
const MAGIC = "TRIPTYCK";
const VERSION = 2;

/** What trains: a network, the variables of its loss, the optimiser of both, and the average of the weights. */
export interface Trainee {
  model: tf.LayersModel;
  lossVariables: readonly tf.Variable[];
  optimizer: Optimizer;
  average: WeightAverage | undefined;
}

/** What a checkpoint keeps of what trains. */
export type TraineeState = Pick<Checkpoint, "optimizerStep" | "averageUpdates"> & {
  tensors: Omit<CheckpointTensors, "best">;
};

/** Takes what a checkpoint keeps of what trains. */
export async function captureState({ model, lossVariables, optimizer, average }: Trainee): Promise<TraineeState> {
  const { step, slots } = await optimizer.state();
  const averaged = await average?.state();
  return {
    optimizerStep: step,
    averageUpdates: averaged?.updates ?? 0,
    tensors: {
      weights: await valuesOf(variablesOf(model)),
      loss: await valuesOf(lossVariables),
      slots,
      average: averaged?.tensors ?? [],
    },
  };
}

/** Copies of tensors' values. */
export function valuesOf(tensors: readonly tf.Tensor[]): Promise<Float32Array[]> {
  return Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
}

/**
 * Puts everything of a checkpoint into what trains by the same configuration.
 *
 * @param sameStage whether the optimiser goes on; if not it begins anew, with other layers to train
 */
export function restoreState(trainee: Trainee, checkpoint: Checkpoint, sameStage: boolean): void {
  const { model, lossVariables, optimizer, average } = trainee;
  const { tensors, optimizerStep, averageUpdates } = checkpoint;
  restoreNetwork(model, checkpoint);
  assign(lossVariables, tensors.loss);
  if (sameStage) optimizer.restore({ step: optimizerStep, slots: tensors.slots });
  average?.restore({ updates: averageUpdates, tensors: tensors.average });
}

/** Puts the weights of the last step into a network of the same configuration. */
export function restoreNetwork(model: tf.LayersModel, { tensors }: Checkpoint): void {
  assign(variablesOf(model), tensors.weights);
}

/** Puts the weights that a run is judged by into a network of the same configuration: the best, else the averaged, else the last. */
export function restoreWeights(model: tf.LayersModel, { tensors }: Checkpoint): void {
  const { best, average, weights } = tensors;
  assign(variablesOf(model), [best, average, weights].find((group) => group.length > 0)!);
}

function assign(variables: readonly tf.Variable[], values: Float32Array[]): void {
  variables.forEach((variable, i) => tidy(() => variable.assign(tensor1d(values[i]).reshape(variable.shape))));
}

/** Whether a run's directory holds a checkpoint. */
export async function hasCheckpoint(directory: string): Promise<boolean> {
  return await Deno.stat(`${directory}/${FILE}`).then(() => true, () => false);
}

/** Writes a checkpoint so that a crash at any moment leaves either the one before or this one. */
export async function writeCheckpoint(directory: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, ...facts } = checkpoint;
  const values = new Uint8Array(concatenate(GROUPS.flatMap((group) => tensors[group])).buffer);
  const lengths = Object.fromEntries(GROUPS.map((group) => [group, tensors[group].map((tensor) => tensor.length)]));
  const header = new TextEncoder().encode(JSON.stringify({ ...facts, lengths, digest: await sha256(values) }));
  const prefix = new Uint8Array(16);
  prefix.set(new TextEncoder().encode(MAGIC));
  new DataView(prefix.buffer).setUint32(8, VERSION, true);
  new DataView(prefix.buffer).setUint32(12, header.length, true);
  await replaceFile(`${directory}/${FILE}`, [prefix, header, values]);
}

/**
 * Reads the checkpoint of a run.
 *
 * @throws {ModelError} if there is none, or it is damaged
 */
export async function readCheckpoint(directory: string): Promise<Checkpoint> {
  const path = `${directory}/${FILE}`;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    const cause = error instanceof Deno.errors.NotFound ? "there is none" : messageOf(error);
    throw new ModelError(`Cannot read the checkpoint ${path}: ${cause}; give the --out directory of a training run.`);
  }
  try {
    return await parse(bytes);
  } catch (error) {
    throw new ModelError(
      `The checkpoint ${path} is damaged (${messageOf(error)}); move it away, or give another --out.`,
    );
  }
}

async function parse(bytes: Uint8Array<ArrayBuffer>): Promise<Checkpoint> {
  const view = new DataView(bytes.buffer);
  if (new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) throw new Error("it is no checkpoint");
  if (view.getUint32(8, true) !== VERSION) throw new Error("it is of another version");
  const end = 16 + view.getUint32(12, true);
  const { lengths, digest, ...facts } = JSON.parse(new TextDecoder().decode(bytes.subarray(16, end))) as
    & Omit<Checkpoint, "tensors">
    & { lengths: Record<keyof CheckpointTensors, number[]>; digest: string };
  const total = GROUPS.flatMap((group) => lengths[group]).reduce((sum, length) => sum + length, 0);
  if (bytes.length !== end + 4 * total) throw new Error("its length is wrong");
  const tail = bytes.slice(end);
  if (await sha256(tail) !== digest) throw new Error("its tensors were changed");
  const values = new Float32Array(tail.buffer);
  let offset = 0;
  const groups = GROUPS.map((group) => [
    group,
    lengths[group].map((length) => values.slice(offset, offset += length)),
  ]);
  return { ...facts, config: Config.parse(facts.config), tensors: Object.fromEntries(groups) as CheckpointTensors };
}
