import type * as tf from "@tensorflow/tfjs";
import { UsageError } from "../shared/errors.ts";
import type { Config } from "./config.ts";
import type { ChosenEngine } from "./engines/mod.ts";
import { lastFrozenLayer } from "./models/split.ts";
import { imagesPerBatch } from "./sampling.ts";

/**
 * How often a step holds what its layers give: saved for the gradient, and as free space between. Measured on the wasm engine: after some steps its heap
 * was 0.75 to 0.97 of the estimate for the thin ResNet, ResNet-18, ResNet-50, MobileFaceNet and EfficientNet-Lite0.
 */
const COPIES_OF_OUTPUTS = 1.1;
/** Weights, their gradients, two slots of an optimiser, and a new value. */
const COPIES_OF_WEIGHTS = 5;
const FLOAT = 4;

/**
 * About how much memory a training step takes, bytes.
 *
 * @param frozen the last layer that does not train, if one does not
 * @param images that go through the network at a time
 */
export function stepBytes(model: tf.LayersModel, frozen: string | undefined, images: number): number {
  const trained = model.layers.slice(1 + model.layers.findIndex(({ name }) => name === frozen));
  const outputs = trained.map((layer) => sizeOf((layer.output as tf.SymbolicTensor).shape));
  const weights = model.weights.map(({ shape }) => sizeOf(shape));
  return FLOAT * (COPIES_OF_OUTPUTS * images * sum(outputs) + COPIES_OF_WEIGHTS * sum(weights));
}

/**
 * Refuses a run that an engine cannot hold.
 *
 * @throws {UsageError} with the sizes
 */
export function assertFits(model: tf.LayersModel, config: Config, { name, memory }: ChosenEngine): void {
  if (memory === undefined) return;
  // In int8 the frozen layers run at every step with all others.
  const frozen = config.freeze === undefined || config.qat ? undefined : lastFrozenLayer(model, config.freeze);
  const images = Math.min(imagesPerBatch(config), config.chunkSize ?? Infinity);
  const bytes = stepBytes(model, frozen, images);
  if (bytes <= memory) return;
  throw new UsageError(
    `A step on ${images} images of ${config.imageSize} pixels takes about ${
      gigabytes(bytes)
    } of memory, and the ${name} engine holds ${gigabytes(memory)}: set chunkSize=${
      Math.max(1, Math.floor(images * memory / bytes))
    } with batchNorm=fixed, a smaller batch or imageSize, or freeze more layers.`,
  );
}

/** Elements of a shape, without the batch's dimension. */
function sizeOf(shape: tf.Shape): number {
  return shape.reduce<number>((product, length) => product * (length ?? 1), 1);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
