import type { Reporter } from "../../../trainer/report/progress.ts";
import { median } from "../median.ts";
import type { Contender } from "./contenders.ts";
import type { BenchNetwork } from "./networks.ts";
import { ProcessFailed } from "../process.ts";
import { Prepared, Timed } from "./protocol.ts";
import { type Measured, nameOf, type Peak } from "./table.ts";

/** The matrix products that show the peak: `cpu` and `gpu` are height and width, as small ones leave a GPU idle. */
export const PRODUCTS = { rounds: 5, times: 3, cpu: 1024, gpu: 4096 };

/** The fastest matrix products of each contender; they take turns. */
export async function raceProducts(contenders: readonly Contender[]): Promise<Peak[]> {
  const best = contenders.map(({ engine, threads }): Peak => ({ engine, threads, gigaflops: 0 }));
  const { rounds, times, cpu, gpu } = PRODUCTS;
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const size = contender.threads === undefined ? gpu : cpu;
      const { seconds } = await contender.process.ask({ do: "multiply", size, times }, Timed);
      best[i].gigaflops = Math.max(best[i].gigaflops, times * 2 * size ** 3 / seconds / 1e9);
    }
  }
  return best;
}

/** A contender in a race. */
interface Lane {
  contender: Contender;
  /** Of a training step for each image. */
  flops: number;
  /** Of a step, in each round. */
  seconds: number[];
  /** Why it has dropped out. */
  reason?: string;
}

/**
 * Trains a network on every contender; they take turns, and who fails drops out.
 *
 * @returns medians over the rounds, or why there are none
 */
export async function raceTraining(
  contenders: readonly Contender[],
  network: BenchNetwork,
  rounds: number,
  reporter: Reporter,
): Promise<Measured[]> {
  const lanes = contenders.map((contender): Lane => ({ contender, flops: 0, seconds: [] }));
  const bar = reporter.progress(`${network.name}, batch ${network.batch}`, lanes.length * (1 + rounds));
  let turns = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const lane of lanes) {
      if (lane.reason === undefined) await takeTurn(lane, network, round);
      bar.update(++turns, nameOf(lane.contender));
    }
  }
  bar.done();
  return lanes.map((lane) => measuredOf(lane, network));
}

/** Prepares and warms up in round 0, and is timed in those after it. */
async function takeTurn(lane: Lane, { backbone, pixels, batch, steps }: BenchNetwork, round: number): Promise<void> {
  const { process } = lane.contender;
  try {
    if (round === 0) {
      lane.flops = (await process.ask({ do: "prepare", backbone, pixels, batch }, Prepared)).flops;
      await process.ask({ do: "train", steps: 1 }, Timed);
    } else {
      lane.seconds.push((await process.ask({ do: "train", steps }, Timed)).seconds / steps);
    }
  } catch (error) {
    if (!(error instanceof ProcessFailed)) throw error;
    lane.reason = error.message;
  }
}

function measuredOf({ contender, flops, seconds, reason }: Lane, { name, batch }: BenchNetwork): Measured {
  const { engine, threads, device } = contender;
  const who = { network: name, batch, engine, threads, device };
  if (reason !== undefined) return { ...who, reason };
  const imagesPerSecond = batch / median(seconds);
  return { ...who, imagesPerSecond, gigaflops: imagesPerSecond * flops / 1e9 };
}
