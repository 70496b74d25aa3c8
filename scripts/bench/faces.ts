import { readdir } from "node:fs/promises";
import { UsageError } from "../../shared/errors.ts";
import { decode, type Image, imageOf, resize } from "../../shared/image/mod.ts";
import { packageFile } from "../../shared/package_file.ts";
import { useWasmBackend } from "../../shared/tfjs_wasm.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Benchmark, BenchmarkOutcome } from "./benchmark.ts";
import { type Accuracy, accuracyOf } from "./faces/accuracy.ts";
import { type Contender, faceApis, triptych } from "./faces/contenders.ts";
import { median } from "./median.ts";

const MODEL = "samples/face-model";
const DEFAULT_RUNS = 20;
/** The part of a photo in the package that we compare with that shows one face; it is scaled to 640 x 480 pixels. */
const PHOTO = { file: "@vladmandic/face-api/demo/sample1.jpg", part: { x: 104, y: 253, width: 800, height: 600 } };
const SIZE = { width: 640, height: 480 };
const STAGES = ["detect", "align", "embed"] as const;

/** What one contender needs and how well it does. */
interface Row extends Partial<Accuracy> {
  name: string;
  /** Of a photo, milliseconds: detection, alignment, embedding. */
  milliseconds: number[];
}

/** From a photo to the embedding of its largest face, beside the same by face-api on the same tfjs. */
export const benchmark: Benchmark = {
  about: "from a photo to the embedding of a face: milliseconds, and errors on people, beside npm @vladmandic/face-api",
  options: { data: { type: "string" }, faceless: { type: "string" }, runs: { type: "string" } },
  usage: `  --data DIR             people to recognise, a folder each; without it only times are measured
  --faceless DIR         photos without faces, in which the bundled model looks for some
  --runs N               photos of 640 x 480 pixels that each takes; figures are medians (default ${DEFAULT_RUNS})`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const runs = runsOf(values.runs);
    await useWasmBackend();
    const own = await triptych(MODEL);
    const contenders = { triptych: own, ...await faceApis() };
    const times = await timesOf(contenders, runs);
    const rows: Row[] = [];
    for (const [name, contender] of Object.entries(contenders)) {
      const accuracy = values.data === undefined
        ? {}
        : await accuracyOf(contender.embedPortrait, values.data as string);
      rows.push({ name, milliseconds: times.get(name)!, ...accuracy });
      reporter.info(`${name} done.`);
    }
    const faceless = values.faceless === undefined ? undefined : await falseFaces(own, values.faceless as string);
    const table = [
      tableOf(rows),
      ...faceless ? [`A face in ${faceless.found} of ${faceless.photos} photos without.`] : [],
    ];
    return {
      engine: "wasm, 1 thread",
      settings: { model: MODEL, runs, data: values.data, faceless: values.faceless },
      figures: { contenders: rows, faceless },
      table: table.join("\n"),
      plots: {},
    };
  },
};

function runsOf(given: unknown): number {
  const runs = Number(given ?? DEFAULT_RUNS);
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError(`--runs ${given} is not right; give 1 or more.`);
  return runs;
}

/** Medians of each stage, by contender; they take turns, and the first two turns only warm up. */
async function timesOf(contenders: Record<string, Contender>, runs: number): Promise<Map<string, number[]>> {
  const photo = await readPhoto();
  const taken = new Map(Object.keys(contenders).map((name) => [name, STAGES.map((): number[] => [])]));
  for (let run = -2; run < runs; run++) {
    for (const [name, contender] of Object.entries(contenders)) {
      for (const [i, stage] of STAGES.entries()) {
        const start = performance.now();
        await contender[stage](photo);
        if (run >= 0) taken.get(name)![i].push(performance.now() - start);
      }
    }
  }
  return new Map([...taken].map(([name, times]) => {
    const upTo = times.map(median);
    return [name, upTo.map((time, i) => time - (upTo[i - 1] ?? 0))];
  }));
}

async function readPhoto(): Promise<Image> {
  const photo = await decode(await Deno.readFile(packageFile(PHOTO.file)));
  const { width, height } = SIZE;
  return imageOf(await resize(photo, PHOTO.part, height, width), { width, height, channels: 3 });
}

/** In how many photos of a folder, and of those within it, a face is found. */
async function falseFaces({ detect }: Contender, folder: string): Promise<{ photos: number; found: number }> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
  let found = 0;
  for (const name of names) {
    if (await detect(await decode(await Deno.readFile(`${folder}/${name}`))) > 0) found++;
  }
  return { photos: names.length, found };
}

function tableOf(rows: Row[]): string {
  const cells = rows.map(({ name, milliseconds, undetected, rank1, eer }) => [
    name,
    ...[...milliseconds, milliseconds.reduce((sum, time) => sum + time, 0)].map((time) => time.toFixed(0)),
    undetected === undefined ? "-" : String(undetected),
    rank1?.toFixed(4) ?? "-",
    eer === undefined ? "-" : `${(100 * eer).toFixed(2)}%`,
  ]);
  return alignColumns([["ms to", ...STAGES, "all", "undetected", "rank-1", "EER"], ...cells]);
}
