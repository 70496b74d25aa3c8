/**
 * The main job on the bundled photos, from photos to matches over HTTP.
 *
 *     deno task demo [--once]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf } from "../shared/errors.ts";
import { resolveConfig } from "../trainer/config.ts";
import { duration, terminalReporter } from "../trainer/report/progress.ts";
import { alignColumns, evaluationTable } from "../trainer/report/tables.ts";
import { train, type TrainResult } from "../trainer/train.ts";
import { startWorker, type WorkerProcess } from "./worker_process.ts";

const PRODUCTS = "samples/products";
const OUT = ".triptych/demo";
const ROWS = 12;

/** What `/match` says of one photo. */
interface Match {
  decision: "match" | "no_match";
  matches: { subject: string; distance: number; falseMatchProbability: number }[];
}

/** A photo of a product that was never trained on, and what came back. */
interface Answer extends Match {
  product: string;
  photo: string;
}

const USAGE =
  `Trains on the bundled photos, evaluates on products never trained on, exports, verifies, enrols the packshots,
starts the worker, matches photos over HTTP, and leaves the playground running.

Usage: deno task demo [--once]

  --once    exits after the table`;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (values.help) return console.log(USAGE), 0;
  const started = performance.now();
  await Deno.remove(OUT, { recursive: true }).catch(() => {});
  const interrupt = new AbortController();
  Deno.addSignalListener("SIGINT", () => interrupt.abort());

  const result = await train({
    data: PRODUCTS,
    out: `${OUT}/model`,
    config: resolveConfig({ preset: "demo" }),
    engine: "auto",
    resume: false,
    maxUnreadable: 0,
    reporter: terminalReporter(),
    signal: interrupt.signal,
  });
  const worker = await startWorker({ TRIPTYCH_MODEL: `${OUT}/model`, TRIPTYCH_GALLERY: `${OUT}/gallery.snapshot` });
  try {
    const enrolled = await enrolPackshots(worker.url);
    const answers = await matchPhotos(worker.url);
    console.log(summary(result, enrolled, answers));
    console.log(`\nDone in ${duration(performance.now() - started)}.`);
    if (!values.once) await leaveRunning(worker, interrupt.signal);
  } finally {
    await worker.stop();
  }
  return 0;
}

async function enrolPackshots(url: string): Promise<number> {
  const products = (await names(`${PRODUCTS}/packshots`)).sort();
  for (const product of products) {
    const body = await Deno.readFile(`${PRODUCTS}/packshots/${product}/packshot.jpg`);
    await post(`${url}/collections/default/subjects/${encodeURIComponent(product)}/images`, body);
  }
  return products.length;
}

async function matchPhotos(url: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const product of (await names(`${PRODUCTS}/test`)).sort()) {
    for (const photo of (await names(`${PRODUCTS}/test/${product}`)).sort()) {
      const body = await Deno.readFile(`${PRODUCTS}/test/${product}/${photo}`);
      answers.push({ product, photo, ...await post(`${url}/match?k=5&fmr=0.01`, body) as Match });
    }
  }
  return answers;
}

function summary(result: TrainResult, enrolled: number, answers: Answer[]): string {
  const { card, untrained, trained } = result;
  const { scheme, bytes, meanCosine, minCosine, recallAt1Delta } = card.quantization;
  const hit = (k: number) =>
    answers.filter((a) => a.matches.slice(0, k).some((m) => m.subject === a.product)).length / answers.length;
  const shown = answers.filter((_, i) => i % Math.ceil(answers.length / ROWS) === 0);
  return [
    "",
    `Photos of products never trained on, matched over HTTP against the packshots of ${enrolled} products:`,
    alignColumns([["photo of", "nearest packshot", "distance", "false match", "decision"], ...shown.map(row)]),
    `Right packshot nearest for ${percent(hit(1))} of ${answers.length} photos, among the five nearest for ${
      percent(hit(5))
    }.`,
    "",
    evaluationTable({
      "untrained network": untrained,
      "trained, float32": trained,
      [`exported, ${scheme}`]: card.evaluation,
    }),
    `Trained recall@1 is ${
      (card.evaluation.recallAt1 / untrained.recallAt1).toFixed(2)
    } times the untrained network's.`,
    `Exported model: ${(bytes / 1e6).toFixed(2)} MB of weights, against float32 meanCosine ${
      meanCosine.toFixed(5)
    }, minCosine ${minCosine.toFixed(5)}, recall@1 ${recallAt1Delta >= 0 ? "+" : ""}${
      (100 * recallAt1Delta).toFixed(2)
    } points.`,
  ].join("\n");
}

function row({ product, decision, matches: [nearest] }: Answer): string[] {
  const mark = nearest.subject === product ? " *" : "";
  return [
    product,
    nearest.subject + mark,
    nearest.distance.toFixed(3),
    percent(nearest.falseMatchProbability),
    decision,
  ];
}

async function leaveRunning(worker: WorkerProcess, signal: AbortSignal): Promise<void> {
  console.log(`\nThe playground is at ${worker.url} - drop a photo on it. Ctrl-C ends it.`);
  await Promise.race([worker.ended, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
}

async function post(url: string, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": "image/jpeg" } });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer.detail}`);
  return answer;
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`error: ${messageOf(error)}`);
    Deno.exit(1);
  }
}
