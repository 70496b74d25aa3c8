import { UsageError } from "../../shared/errors.ts";
import { randomStream } from "../../trainer/random.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import { startWorker } from "../worker_process.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { quantile } from "./median.ts";

const PHOTO = "samples/products/packshots/Alpro-Blueberry-Soyghurt/packshot.jpg";
const DEFAULT_SECONDS = 5;
/** Of capacity. */
const LOADS = [0.5, 1, 4, 10];
/** As many clients as keep every thread of the worker busy, and none refused. */
const CLIENTS = 8;
const OVERLOADED = 503;

/** How one request ended. */
interface Answer {
  status: number;
  milliseconds: number;
}

/** What came of the requests of a phase. */
interface Figure {
  load: string;
  /** Requests a second. */
  offered: number;
  goodput: number;
  /** Milliseconds; null where there was none. */
  acceptedP50: number | null;
  acceptedP99: number | null;
  refusedP99: number | null;
  refused: number;
}

/** The worker under more than it can do, over HTTP. */
export const benchmark: Benchmark = {
  about: "a worker's answers to /match at 0.5 to 10 times of what it can do, requests arriving at random",
  options: { seconds: { type: "string" } },
  usage: `  --seconds N            of every load (default ${DEFAULT_SECONDS})`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const seconds = secondsOf(values);
    const photo = await Deno.readFile(PHOTO);
    const worker = await startWorker({ TRIPTYCH_GALLERY: "memory:", PORT: "0" });
    const ask = () => timedMatch(`${worker.url}/match`, photo);
    try {
      // The first second warms up: threads start, code is compiled.
      await closedLoop(ask, CLIENTS, 1);
      const alone = figureOf("one client", await closedLoop(ask, 1, seconds), seconds);
      const full = figureOf(`${CLIENTS} clients`, await closedLoop(ask, CLIENTS, seconds), seconds);
      reporter.info(`The worker answers ${full.goodput.toFixed(0)} a second.`);
      const figures = [alone, full];
      for (const load of LOADS) {
        figures.push(figureOf(`${load} x`, await openLoop(ask, load * full.goodput, seconds), seconds));
        reporter.info(`${load} times as many done.`);
      }
      return { engine: "wasm", settings: { photo: PHOTO, seconds }, figures, table: tableOf(figures), plots: {} };
    } finally {
      await worker.stop();
    }
  },
};

function secondsOf(values: BenchmarkValues): number {
  const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
  if (!(seconds > 0)) throw new UsageError(`--seconds ${values.seconds} is not right; give a number above 0.`);
  return seconds;
}

async function timedMatch(url: string, body: Uint8Array<ArrayBuffer>): Promise<Answer> {
  const start = performance.now();
  const response = await fetch(url, { method: "POST", headers: { "content-type": "image/jpeg" }, body });
  await response.body?.cancel();
  if (!response.ok && response.status !== OVERLOADED) throw new Error(`The worker answered ${response.status}.`);
  return { status: response.status, milliseconds: performance.now() - start };
}

/** Each client asks again when it is answered. */
async function closedLoop(ask: () => Promise<Answer>, clients: number, seconds: number): Promise<Answer[]> {
  const end = performance.now() + seconds * 1000;
  const answers: Answer[] = [];
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) answers.push(await ask());
  }));
  return answers;
}

/** Requests come when they come (Poisson), answered or not. */
async function openLoop(ask: () => Promise<Answer>, perSecond: number, seconds: number): Promise<Answer[]> {
  const random = randomStream(1, "load", perSecond);
  const start = performance.now(), under: Promise<Answer>[] = [];
  for (let due = 0; due < seconds * 1000; due += -Math.log(1 - random()) * 1000 / perSecond) {
    const ahead = start + due - performance.now();
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    under.push(ask());
  }
  return await Promise.all(under);
}

function figureOf(load: string, answers: Answer[], seconds: number): Figure {
  const times = (refused: boolean) =>
    answers.filter(({ status }) => (status === OVERLOADED) === refused).map(({ milliseconds }) => milliseconds);
  const accepted = times(false), refused = times(true);
  const at = (list: number[], share: number) => list.length === 0 ? null : quantile(list, share);
  return {
    load,
    offered: answers.length / seconds,
    goodput: accepted.length / seconds,
    acceptedP50: at(accepted, 0.5),
    acceptedP99: at(accepted, 0.99),
    refusedP99: at(refused, 0.99),
    refused: refused.length,
  };
}

function tableOf(figures: Figure[]): string {
  const text = (value: number | null) => value === null ? "" : value.toFixed(1);
  return alignColumns([
    ["load", "offered/s", "answered/s", "p50 ms", "p99 ms", "refused", "their p99 ms"],
    ...figures.map((figure) => [
      figure.load,
      text(figure.offered),
      text(figure.goodput),
      text(figure.acceptedP50),
      text(figure.acceptedP99),
      String(figure.refused),
      text(figure.refusedP99),
    ]),
  ]);
}
