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
import { alignColumns, evaluationTable, gallerySentence, thresholdTable } from "../trainer/report/tables.ts";
import { train, type TrainResult } from "../trainer/train.ts";
import { startWorker, workerPort, type WorkerProcess } from "./worker_process.ts";

const PRODUCTS = "samples/products";
const OUT = ".triptych/demo";
const ROWS = 12;
const SHELF = "shelf";
/** The source data set took its training and its test photos at different times; a product's first and last ones are of these. */
const SHELF_PHOTOS = 8;

/** What `/match` says of one photo. */
interface Match {
  decision: "match" | "no_match";
  matches: { subject: string; distance: number; falseMatchProbability: number }[];
}

/** A photo of a product that was never trained on, and what came back. */
interface Answer extends Match {
  product: string;
}

const USAGE =
  `Trains on the bundled photos, evaluates on products never trained on, exports, verifies, enrols the packshots,
starts the worker, matches photos over HTTP, and leaves the playground running.

Usage: deno task demo [--once]

  --once    exits after the table`;

async function main(interrupt: AbortController): Promise<number> {
  const { values } = parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (values.help) return console.log(USAGE), 0;
  const started = performance.now();
  const port = workerPort();
  await Deno.remove(OUT, { recursive: true }).catch(() => {});
  Deno.addSignalListener("SIGINT", () => interrupt.abort());

  const result = await train({
    data: PRODUCTS,
    gallery: undefined,
    out: `${OUT}/model`,
    config: resolveConfig({ preset: "products" }),
    engine: "auto",
    resume: false,
    maxUnreadable: 0,
    reporter: terminalReporter(),
    signal: interrupt.signal,
  });
  const worker = await startWorker({
    PORT: String(port),
    TRIPTYCH_MODEL: `${OUT}/model`,
    TRIPTYCH_GALLERY: `sqlite:${OUT}/gallery.sqlite`,
    TRIPTYCH_THUMBNAILS: "1",
  });
  try {
    const packshots = await enrol(worker.url, "default", await photosIn("packshots"));
    const photos = await photosIn("test");
    const answers = await match(worker.url, "default", photos);
    await enrol(worker.url, SHELF, photos.filter(({ place }) => place < SHELF_PHOTOS));
    const onShelf = await match(worker.url, SHELF, photos.filter(({ place, of }) => place >= of - SHELF_PHOTOS));
    console.log(summary(result, packshots, answers, onShelf));
    console.log(`\nDone in ${duration(performance.now() - started)}.`);
    if (!values.once) await leaveRunning(worker, interrupt.signal);
  } finally {
    await worker.stop();
  }
  return 0;
}

/** One of a product's photos: its place among them, in the order they were taken, and how many there are. */
interface ProductPhoto {
  product: string;
  path: string;
  place: number;
  of: number;
}

async function photosIn(part: string): Promise<ProductPhoto[]> {
  const photos: ProductPhoto[] = [];
  for (const product of await names(`${PRODUCTS}/${part}`)) {
    const files = await names(`${PRODUCTS}/${part}/${product}`);
    photos.push(
      ...files.map((file, place) => ({
        product,
        path: `${PRODUCTS}/${part}/${product}/${file}`,
        place,
        of: files.length,
      })),
    );
  }
  return photos;
}

async function enrol(url: string, collection: string, photos: ProductPhoto[]): Promise<number> {
  for (const { product, path } of photos) {
    await post(
      `${url}/collections/${collection}/subjects/${encodeURIComponent(product)}/images`,
      await Deno.readFile(path),
    );
  }
  return photos.length;
}

async function match(url: string, collection: string, photos: ProductPhoto[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { product, path } of photos) {
    const query = `collection=${collection}&k=5&fmr=0.01`;
    answers.push({ product, ...await post(`${url}/match?${query}`, await Deno.readFile(path)) as Match });
  }
  return answers;
}

function summary(result: TrainResult, packshots: number, answers: Answer[], onShelf: Answer[]): string {
  const { card, untrained, pretrained, trained, inGallery } = result;
  const { scheme, bytes, meanCosine, minCosine, recallAt1Delta } = card.quantization;
  const shown = answers.filter((_, i) => i % Math.ceil(answers.length / ROWS) === 0);
  return [
    "",
    `Photos of products never trained on, matched over HTTP against the packshots of ${packshots} products:`,
    alignColumns([["photo of", "nearest packshot", "distance", "false match", "decision"], ...shown.map(row)]),
    `The right packshot is the nearest for ${
      percent(hitRate(answers, 1))
    } of ${answers.length} photos, among the five nearest for ${percent(hitRate(answers, 5))}.`,
    `With ${SHELF_PHOTOS} phone photos of each product enrolled instead, photos of another series of shots find the right one for ${
      percent(hitRate(onShelf, 1))
    } of ${onShelf.length}.`,
    "",
    evaluationTable({
      "untrained network": untrained,
      "weights as given": pretrained!,
      "trained, float32": trained.evaluation,
      [`exported, ${scheme}`]: card.evaluation,
    }, "products never trained on"),
    gallerySentence(inGallery!.figures),
    thresholdTable(trained),
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

/** The share of photos whose product is among the first `k` matches. */
function hitRate(answers: Answer[], k: number): number {
  const hits = answers.filter(({ product, matches }) => matches.slice(0, k).some(({ subject }) => subject === product));
  return hits.length / answers.length;
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
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

if (import.meta.main) {
  const interrupt = new AbortController();
  try {
    Deno.exit(await main(interrupt));
  } catch (error) {
    if (interrupt.signal.aborted) Deno.exit(130);
    console.error(`error: ${messageOf(error)}`);
    Deno.exit(1);
  }
}
