import { UsageError } from "../../shared/errors.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Startup } from "../../worker/start.ts";
import { build } from "../deploy/build.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { median } from "./median.ts";

const MODEL = "samples/model";
const PHOTO = "samples/products/packshots/Alpro-Blueberry-Soyghurt/packshot.jpg";
const DEFAULT_RUNS = 5;
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
/** How often the worker is asked until it listens. */
const POLL_MS = 5;
const GIVE_UP_MS = 60_000;

/** One cold start, milliseconds. */
interface ColdStart extends Startup {
  /** From the start of the process to the answer. */
  firstMatch: number;
}

/** From the start of a worker's process to the answer to its first `/match`. */
export const benchmark: Benchmark = {
  about:
    "from the start of a worker's process to the answer to its first /match, and what of that is import, model, inference",
  options: { runs: { type: "string" } },
  usage: `  --runs N               cold starts of each; figures are medians (default ${DEFAULT_RUNS})`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const runs = runsOf(values);
    const folder = await Deno.makeTempDir({ prefix: "triptych-cold-" });
    try {
      await build("deno", MODEL, folder);
      const places = [
        { name: "deno task serve", cwd: ".", args: ["--allow-env", "--allow-run", "scripts/serve.ts"] },
        { name: "deno task deploy", cwd: folder, args: [...PERMISSIONS, "worker/main.js"] },
      ];
      const photo = await Deno.readFile(PHOTO);
      const starts = new Map(places.map(({ name }) => [name, [] as ColdStart[]]));
      for (let run = 0; run < runs; run++) {
        for (const { name, cwd, args } of places) starts.get(name)!.push(await coldStart(cwd, args, photo));
        reporter.info(`${run + 1} of ${runs} done.`);
      }
      const figures = places.map(({ name }) => ({ worker: name, ...medians(starts.get(name)!) }));
      return { engine: "wasm", settings: { model: MODEL, runs }, figures, table: tableOf(figures), plots: {} };
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

function runsOf(values: BenchmarkValues): number {
  const runs = Number(values.runs ?? DEFAULT_RUNS);
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError(`--runs ${values.runs} is not right; give 1 or more.`);
  return runs;
}

async function coldStart(cwd: string, args: string[], photo: Uint8Array<ArrayBuffer>): Promise<ColdStart> {
  const port = freePort();
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...args],
    cwd,
    env: { PORT: String(port), TRIPTYCH_GALLERY: "memory:" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const printed = new Response(child.stdout).text();
  let firstMatch: number;
  try {
    while (!await isMatched(`http://127.0.0.1:${port}/match`, photo)) {
      if (performance.now() - start > GIVE_UP_MS) throw new Error("The worker did not answer within a minute.");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    firstMatch = Math.round(performance.now() - start);
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
  return { ...startupIn(await printed), firstMatch };
}

/** Whether the worker answers; until it listens it does not. */
async function isMatched(url: string, photo: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "image/jpeg" }, body: photo });
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** What the worker's log says of its start. */
function startupIn(printed: string): Startup {
  const lines = printed.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return lines.find(({ message }) => message === "ready").milliseconds;
}

function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return (listener.addr as Deno.NetAddr).port;
}

const PARTS = ["import", "model", "firstInference", "gallery", "firstMatch"] as const;

function medians(starts: ColdStart[]): ColdStart {
  return Object.fromEntries(
    PARTS.map((part) => [part, median(starts.map((start) => start[part]))]),
  ) as unknown as ColdStart;
}

function tableOf(figures: (ColdStart & { worker: string })[]): string {
  const heads = ["ms from", "import", "model", "first inference", "gallery", "process start to first /match answered"];
  return alignColumns([
    heads,
    ...figures.map((figure) => [figure.worker, ...PARTS.map((part) => String(figure[part]))]),
  ]);
}
