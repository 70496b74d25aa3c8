import type * as tf from "@tensorflow/tfjs";
import { tensor1d } from "@tensorflow/tfjs";
import { messageOf, ModelError } from "../shared/errors.ts";
import { replaceFile } from "../shared/replace_file.ts";
import { sha256 } from "../shared/sha256.ts";
import { concatenate } from "./concatenate.ts";
import { Config } from "./config.ts";
import type { Adam } from "./optimizers/adam.ts";

/** What one epoch of training was like. */
export interface EpochRecord {
  epoch: number;
  step: number;
  loss: number;
  activeTripletShare: number;
  meanPairwiseDistance: number;
  learningRate: number;
  /** Recall@1 on the identities to watch by, where there are some. */
  valRecallAt1?: number;
}

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
  history: EpochRecord[];
  /** Steps that the optimiser took: batches that were skipped are not among them. */
  optimizerStep: number;
  /** The network's weights and moving statistics, the loss's variables, then the optimiser's first and second moments. */
  tensors: Float32Array[];
}

const FILE = "checkpoint.bin";
const MAGIC = "TRIPTYCK";
const VERSION = 1;

/** What trains: a network, the variables of its loss, and the optimiser of both. */
export interface Trainee {
  model: tf.LayersModel;
  lossVariables: readonly tf.Variable[];
  optimizer: Adam;
}

/** Takes what a checkpoint keeps of what trains. */
export async function captureState(trainee: Trainee): Promise<Pick<Checkpoint, "optimizerStep" | "tensors">> {
  const { model, lossVariables, optimizer } = trainee;
  const weights = await Promise.all(
    [...model.getWeights(), ...lossVariables].map((weight) => weight.data<"float32">()),
  );
  const { step, m, v } = await optimizer.state();
  return { optimizerStep: step, tensors: [...weights, ...m, ...v] };
}

/** Puts everything of a checkpoint into what trains by the same configuration. */
export function restoreState(trainee: Trainee, checkpoint: Checkpoint): void {
  const { model, lossVariables, optimizer } = trainee;
  restoreWeights(model, checkpoint);
  const rest = checkpoint.tensors.slice(model.getWeights().length);
  lossVariables.forEach((variable, i) => {
    const value = tensor1d(rest[i]).reshape(variable.shape);
    variable.assign(value);
    value.dispose();
  });
  const moments = rest.slice(lossVariables.length);
  const half = moments.length / 2;
  optimizer.restore({ step: checkpoint.optimizerStep, m: moments.slice(0, half), v: moments.slice(half) });
}

/** Puts the weights of a checkpoint into a network of the same configuration. */
export function restoreWeights(model: tf.LayersModel, { tensors }: Checkpoint): void {
  const weights = model.getWeights().map((weight, i) => tensor1d(tensors[i]).reshape(weight.shape));
  model.setWeights(weights);
  weights.forEach((weight) => weight.dispose());
}

/** Whether a run's directory holds a checkpoint. */
export async function hasCheckpoint(directory: string): Promise<boolean> {
  return await Deno.stat(`${directory}/${FILE}`).then(() => true, () => false);
}

/** Writes a checkpoint so that a crash at any moment leaves either the one before or this one. */
export async function writeCheckpoint(directory: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, ...facts } = checkpoint;
  const values = new Uint8Array(concatenate(tensors).buffer);
  const lengths = tensors.map((tensor) => tensor.length);
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
    & { lengths: number[]; digest: string };
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (bytes.length !== end + 4 * total) throw new Error("its length is wrong");
  const tail = bytes.slice(end);
  if (await sha256(tail) !== digest) throw new Error("its tensors were changed");
  const values = new Float32Array(tail.buffer);
  let offset = 0;
  const tensors = lengths.map((length) => values.slice(offset, offset += length));
  return { ...facts, config: Config.parse(facts.config), tensors };
}
