import { UsageError } from "../../shared/errors.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { type Contender, CONTENDERS, startContenders } from "./train/contenders.ts";
import { chooseNetworks, NETWORKS } from "./train/networks.ts";
import { PRODUCTS, raceProducts, raceTraining } from "./train/race.ts";
import { compare, type Measured, nameOf, type Peak, peaksOf, trainTable } from "./train/table.ts";

const ROUNDS = 3;

/**
 * Whole training steps of every engine that this machine has, and of PyTorch, beside what the device reaches.
 *
 * Each contender is a process of its own, and they take turns: none disturbs another, and what else the machine does
 * slows all of them. The peak of the GPU, and of the CPU for each number of threads, is the most that any contender
 * reached there in the product of two float32 matrices.
 */
export const benchmark: Benchmark = {
  about: "training steps (network, semi-hard loss, gradient, Adam; float32) of the engines and of PyTorch",
  options: {
    engines: { type: "string" },
    networks: { type: "string" },
    batches: { type: "string" },
    threads: { type: "string" },
    steps: { type: "string" },
    rounds: { type: "string" },
    python: { type: "string" },
  },
  usage: `
  --engines A,B          some of ${CONTENDERS.join(", ")}, cpu (default all that are there, but cpu)
  --networks N|A,B       the first N, or some, of ${NETWORKS.slice(0, 3).map(({ name }) => name).join(", ")},
                         ${NETWORKS.slice(3).map(({ name }) => name).join(", ")} (default all)
  --batches A,B          images in a batch (default 32, for EfficientNet-Lite0 48)
  --threads A,B          of node, wasm and torch (default 1, as many as wasm makes use of, all cores)
  --steps N              of a round, after one to warm up (default by network ${
    NETWORKS.map(({ steps }) => steps).join(", ")
  })
  --rounds N             contenders take turns; figures are medians over the rounds (default ${ROUNDS})
  --python PATH          a Python that has PyTorch (default python3)`.slice(1),
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const { networks, rounds } = raceOf(values);
    const { contenders, missing } = await startContenders({
      names: listOf(values.engines),
      threads: countsOf(values, "threads"),
      python: String(values.python ?? "python3"),
    });
    try {
      const peaks = peaksOf(await raceProducts(contenders));
      const measured: Measured[] = [];
      for (const network of networks) measured.push(...await raceTraining(contenders, network, rounds, reporter));
      const figures = compare(measured, peaks);
      return {
        engine: devicesOf(contenders).join("; "),
        settings: { networks, rounds, products: PRODUCTS },
        figures: { training: figures, peaks, missing },
        table: [trainTable(figures), "", ...caption(contenders, peaks, rounds), ...missing].join("\n"),
        plots: {},
      };
    } finally {
      await Promise.all(contenders.map(({ process }) => process.stop()));
    }
  },
};

function raceOf(values: BenchmarkValues) {
  const batches = countsOf(values, "batches"), steps = countOf(values, "steps");
  const networks = chooseNetworks(values.networks as string | undefined).flatMap((network) =>
    (batches ?? [network.batch]).map((batch) => ({ ...network, batch, steps: steps ?? network.steps }))
  );
  return { networks, rounds: countOf(values, "rounds") ?? ROUNDS };
}

function listOf(value: BenchmarkValues[string]): string[] | undefined {
  return value === undefined ? undefined : String(value).split(",");
}

function countsOf(values: BenchmarkValues, name: string): number[] | undefined {
  return listOf(values[name])?.map((text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count > 0) return count;
    throw new UsageError(`--${name} takes positive integers, not ${text}.`);
  });
}

function countOf(values: BenchmarkValues, name: string): number | undefined {
  const counts = countsOf(values, name);
  if (counts === undefined || counts.length === 1) return counts?.[0];
  throw new UsageError(`--${name} is one positive integer, not ${values[name]}.`);
}

function devicesOf(contenders: readonly Contender[]): string[] {
  return [...new Set(contenders.map(({ engine, device }) => `${engine}: ${device}`))];
}

function caption(contenders: readonly Contender[], peaks: readonly Peak[], rounds: number): string[] {
  const { cpu, gpu } = PRODUCTS;
  return [
    `Float32, rounds: ${rounds}. GFLOP/s are those of the convolutions and the dense layer, forward and backward; the`,
    "peak is the most that any contender reached on the same device with as many threads, multiplying two matrices",
    `of ${cpu} x ${cpu} (on a GPU ${gpu} x ${gpu}):`,
    ...peaks.map(({ engine, threads, gigaflops }) =>
      `  ${nameOf({ engine: threads === undefined ? "GPU" : "CPU", threads })}: ${
        gigaflops.toFixed(0)
      } GFLOP/s by ${engine}`
    ),
    ...devicesOf(contenders),
  ];
}
