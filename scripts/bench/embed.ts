import { UsageError } from "../../shared/errors.ts";
import type { Benchmark, BenchmarkOutcome } from "./benchmark.ts";
import { ENGINES } from "./embed/engines.ts";
import { chooseNetworks, NETWORKS } from "./embed/networks.ts";
import { type Measured, measurePeak, raceEngines } from "./embed/race.ts";
import { shippedBytes } from "./embed/shipped.ts";
import { compare, embedTable } from "./embed/table.ts";

const ROUNDS = 7;

/**
 * The embedding of one image on one thread: our plan, tfjs and ONNX Runtime, with the same weights.
 *
 * Each engine is a process of its own, and they take turns: what else the machine does slows all of them.
 */
export const benchmark: Benchmark = {
  about:
    "the embedding of one image, float32 and int8, one thread: the plan, tfjs, and ONNX Runtime in WebAssembly and native",
  options: { engines: { type: "string" }, networks: { type: "string" }, rounds: { type: "string" } },
  usage: `
  --engines A,B          some of ${Object.keys(ENGINES).join(", ")} (default all)
  --networks A,B         some of ${Object.keys(NETWORKS).slice(0, 4).join(", ")},
                         ${Object.keys(NETWORKS).slice(4).join(", ")} (default all)
  --rounds N             engines take turns; figures are medians (default ${ROUNDS})`.slice(1),
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const engines = values.engines === undefined ? Object.keys(ENGINES) : String(values.engines).split(",");
    const unknown = engines.find((engine) => !Object.hasOwn(ENGINES, engine));
    if (unknown !== undefined) {
      throw new UsageError(`--engines takes some of ${Object.keys(ENGINES).join(", ")}, not ${unknown}.`);
    }
    const networks = chooseNetworks(values.networks as string | undefined);
    const rounds = Number(values.rounds ?? ROUNDS);
    if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError(`--rounds ${values.rounds} is not 1 or more.`);
    const peak = await measurePeak();
    const measured: Measured[] = [];
    for (const network of networks) measured.push(...await raceEngines(network, engines, rounds, reporter));
    const sizes = await Promise.all(engines.map(async (engine) => [engine, await shippedBytes(engine)] as const));
    const shipped = new Map(sizes.filter((pair): pair is [string, number] => pair[1] !== undefined));
    const figures = compare(measured, peak, shipped);
    const caption = `The kernels reach ${peak.float32.toFixed(1)} GFLOP/s at most, and ${
      peak.int8.toFixed(1)
    } in int8, in a matrix product within the caches.`;
    return {
      engine: engines.join(", "),
      settings: { networks, engines, rounds },
      figures: { embedding: figures, peak },
      table: `${embedTable(figures)}\n\n${caption}`,
      plots: {},
    };
  },
};
