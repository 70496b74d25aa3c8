import * as tf from "@tensorflow/tfjs";
import { UsageError } from "../../shared/errors.ts";
import { batchGradient } from "../../trainer/batch_gradient.ts";
import { chooseEngine, EngineMissing, ENGINES } from "../../trainer/engines/mod.ts";
import { LOSSES } from "../../trainer/losses/mod.ts";
import type { BackboneName } from "../../trainer/models/backbones.ts";
import { createEmbedder } from "../../trainer/models/embedder.ts";
import { wholeNetwork } from "../../trainer/models/split.ts";
import { createOptimizer, trainableVariables } from "../../trainer/optimizers/mod.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Reporter } from "../../trainer/report/progress.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { median } from "./median.ts";

/** What is trained, from small to large. */
const NETWORKS: { backbone: BackboneName; pixels: number; batch: number }[] = [
  { backbone: "thin-resnet", pixels: 64, batch: 32 },
  { backbone: "resnet18", pixels: 64, batch: 32 },
  { backbone: "resnet18", pixels: 112, batch: 32 },
  { backbone: "resnet50", pixels: 112, batch: 32 },
];
/** Engines that are measured unless others are named: `cpu` takes minutes a step. */
const DEFAULT_ENGINES = "cuda,webgpu,node,wasm";
const DEFAULTS = { steps: 3, rounds: 3, networks: 2 };
const DIMENSIONS = 128;

/** A network on an engine. */
interface Measured {
  network: string;
  engine: string;
  device: string;
  imagesPerSecond: number;
  gigaflops: number;
}

/** Whole training steps on every engine that this machine has. */
export const benchmark: Benchmark = {
  about: "training steps (network, semi-hard loss, gradient, Adam) on every engine that is there",
  options: {
    engines: { type: "string" },
    networks: { type: "string" },
    steps: { type: "string" },
    rounds: { type: "string" },
  },
  usage: `
  --engines A,B          (default ${DEFAULT_ENGINES})
  --networks N           the first N of ${NETWORKS.map(nameOf).join(", ")} (default ${DEFAULTS.networks})
  --steps N              of a round, after one to warm up (default ${DEFAULTS.steps})
  --rounds N             engines take turns; figures are medians over the rounds (default ${DEFAULTS.rounds})`.slice(1),
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const [steps, rounds, networks] = (["steps", "rounds", "networks"] as const).map((name) => countOf(values, name));
    const engines = await present(String(values.engines ?? DEFAULT_ENGINES).split(","), reporter);
    const figures: Measured[] = [];
    for (const network of NETWORKS.slice(0, networks)) {
      const seconds = new Map(engines.map(({ name }) => [name, [] as number[]]));
      for (let round = 0; round < rounds; round++) {
        for (const { name } of engines) seconds.get(name)!.push(await secondsPerStep(name, network, steps));
      }
      const flops = flopsPerImage(network);
      for (const { name, device } of engines) {
        const imagesPerSecond = network.batch / median(seconds.get(name)!);
        const gigaflops = imagesPerSecond * flops / 1e9;
        figures.push({ network: nameOf(network), engine: name, device, imagesPerSecond, gigaflops });
      }
    }
    return {
      engine: engines.map(({ device }) => device).join("; "),
      settings: { steps, rounds, dimensions: DIMENSIONS, loss: "triplet-semihard" },
      figures,
      table: tableOf(figures),
      plots: {},
    };
  },
};

function countOf(values: BenchmarkValues, name: keyof typeof DEFAULTS): number {
  const value = Number(values[name] ?? DEFAULTS[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${name} is a positive integer, not ${values[name]}.`);
}

/** Those of the engines that this machine has; says of the others why not. */
async function present(names: string[], reporter: Reporter): Promise<{ name: string; device: string }[]> {
  const found: { name: string; device: string }[] = [];
  for (const name of names) {
    try {
      found.push(await chooseEngine(name));
    } catch (error) {
      if (!(error instanceof EngineMissing)) throw error;
      reporter.info(`${name} is not measured: ${error.message}`);
    }
  }
  if (found.length > 0) return found;
  throw new UsageError(`None of ${names.join(", ")} is on this machine; there are ${Object.keys(ENGINES).join(", ")}.`);
}

async function secondsPerStep(engine: string, network: typeof NETWORKS[number], steps: number): Promise<number> {
  await chooseEngine(engine);
  const { pixels, batch } = network;
  const model = modelOf(network);
  const whole = wholeNetwork(model);
  const optimizer = createOptimizer(trainableVariables(model), { optimizer: "adam", weightDecay: 0, momentum: 0 });
  optimizer.setLearningRate(1e-4);
  const { loss } = LOSSES["triplet-semihard"]({ classes: 8, dimensions: DIMENSIONS, seed: 1 });
  const labels = Int32Array.from({ length: batch }, (_, i) => i >> 2);
  const x = tf.randomNormal([batch, pixels, pixels, 3]);
  const step = async () => {
    const judged = await batchGradient(x, labels, optimizer.variables, {
      forward: (x) => whole(x, true),
      unitLength: true,
      loss,
      lossVariables: [],
    });
    const norm = optimizer.descend(judged.gradients);
    await norm.data();
    tf.dispose([judged.value, judged.embeddingNorm, norm]);
  };
  await step();
  const started = performance.now();
  for (let i = 0; i < steps; i++) await step();
  const seconds = (performance.now() - started) / 1000 / steps;
  optimizer.dispose();
  model.dispose();
  x.dispose();
  return seconds;
}

function modelOf({ backbone, pixels }: typeof NETWORKS[number]): tf.LayersModel {
  const input = { height: pixels, width: pixels, channels: 3 as const };
  return createEmbedder({ backbone, input, dimensions: DIMENSIONS, seed: 1 });
}

/** Multiplications and additions of the convolutions and the dense layer, forward and for both gradients. */
function flopsPerImage(network: typeof NETWORKS[number]): number {
  const model = modelOf(network);
  let products = 0;
  for (const layer of model.layers) {
    const kernel = layer.weights.find(({ shape }) => shape.length > 1);
    if (kernel === undefined) continue;
    const positions = (layer.output as tf.SymbolicTensor).shape.slice(1, -1);
    products += [...kernel.shape, ...positions].reduce<number>((product, length) => product * (length ?? 1), 1);
  }
  model.dispose();
  return 3 * 2 * products;
}

function nameOf({ backbone, pixels }: typeof NETWORKS[number]): string {
  return `${backbone} at ${pixels} px`;
}

function tableOf(figures: Measured[]): string {
  const rows = figures.map(({ network, engine, device, imagesPerSecond, gigaflops }) => {
    const wasm = figures.find((other) => other.network === network && other.engine === "wasm");
    const ratio = wasm === undefined ? "-" : (imagesPerSecond / wasm.imagesPerSecond).toFixed(2);
    return [network, engine, imagesPerSecond.toFixed(1), ratio, gigaflops.toFixed(1), device];
  });
  return alignColumns([["", "engine", "images/s", "to wasm", "GFLOP/s", "device"], ...rows]);
}
