import assert from "node:assert/strict";
import { main } from "../../../scripts/bench.ts";
import { benchmark as decodeBenchmark } from "../../../scripts/bench/decode.ts";
import { type DigitSplit, readDigits } from "../../../scripts/bench/digits.ts";
import { linePlot } from "../../../scripts/bench/line_plot.ts";
import { configOf, raceLosses, type RaceSettings, VARIANTS } from "../../../scripts/bench/loss_race.ts";
import { startLossRun } from "../../../scripts/bench/loss_run.ts";
import { median } from "../../../scripts/bench/median.ts";
import { type BenchmarkResult, mergeResults } from "../../../scripts/bench/results.ts";
import { UsageError } from "../../../shared/errors.ts";
import { chooseEngine } from "../../../trainer/engines/mod.ts";
import { inputOf } from "../../../trainer/models/pixel_scales.ts";
import { imagesPerBatch } from "../../../trainer/sampling.ts";

const settings: RaceSettings = {
  ...{ backbone: "thin-resnet", steps: 4, imagesPerStep: 12, seeds: [1], points: 2, probesOnTheWay: 20 },
};
const silent = { info() {}, warn() {}, progress: () => ({ update() {}, done() {} }) };
const input = inputOf(configOf(VARIANTS["siamese-bce"], 1, settings));
const digits = await readDigits(input, { train: 200, test: 100 });

Deno.test("the race of the losses gives every variant's gradients, recall and speed on both splits", async () => {
  await chooseEngine("auto");
  const figures = await raceLosses(digits, settings, silent);
  assert.deepEqual(Object.keys(figures), Object.keys(VARIANTS));
  for (const [name, { splits, imagesPerSecond, speedup }] of Object.entries(figures)) {
    for (const { firstGradientNorm, points, parts, before, after } of Object.values(splits)) {
      const norms = [
        firstGradientNorm,
        ...points.flatMap(({ layerGradients: { first, last } }) => [first, last]),
        ...parts.map(({ gradientNorm }) => gradientNorm),
      ];
      assert(norms.every((norm) => Number.isFinite(norm) && norm > 0), `${name}: ${norms}`);
      assert.deepEqual(points.map(({ images }) => images), [0, 24, 48]);
      assert.deepEqual(parts.map(({ images }) => images), [24, 48]);
      for (const { recallAt1, mapAtR } of [before, after]) {
        assert(recallAt1 >= 0 && recallAt1 <= 1 && mapAtR >= 0 && mapAtR <= 1);
      }
    }
    assert(imagesPerSecond > 0 && speedup > 0);
  }
  assert.equal(figures["siamese-bce"].speedup, 1);
  const before = Object.values(figures).map(({ splits }) => splits.seen.before);
  assert(before.every((recall) => JSON.stringify(recall) === JSON.stringify(before[0])), "one network to start from");
});

Deno.test("neither measuring gradients nor a negative head changes the network that is judged", async () => {
  await chooseEngine("auto");
  const variant = VARIANTS["siamese-bce, negative"];
  const [plain, negative] = [
    await startLossRun(configOf(variant, 1, settings), digits.seen),
    await startLossRun(configOf(variant, 1, settings), digits.seen, { negativeHead: true }),
  ];
  const before = await plain.judge(digits.seen.probes);
  assert.deepEqual(await negative.judge(digits.seen.probes), before);
  await plain.layerGradients(0);
  assert.deepEqual(await plain.judge(digits.seen.probes), before);
  assert.notEqual(await negative.recallByHead(digits.seen.probes), await plain.recallByHead(digits.seen.probes));
  [plain, negative].forEach((run) => run.dispose());
});

Deno.test("all variants of the race see equally many images a step", () => {
  for (const variant of Object.values(VARIANTS)) assert.equal(imagesPerBatch(configOf(variant, 1, settings)), 12);
});

Deno.test("the unseen digits are judged by and never trained on", () => {
  const of = (split: DigitSplit, part: "photos" | "probes") =>
    [...new Set(digits[split][part].map(({ identity }) => identity))].sort().join("");
  assert.equal(of("seen", "photos"), "0123456789");
  assert.equal(of("seen", "probes"), "0123456789");
  assert.equal(of("unseen", "photos"), "0123456");
  assert.equal(of("unseen", "probes"), "789");
});

Deno.test("results replace those of the same benchmark and keep those of others", async () => {
  const path = `${await Deno.makeTempDir({ prefix: "triptych-bench-" })}/new/results.json`;
  const result = (figures: number): BenchmarkResult => ({
    ...{ date: "2026-01-01T00:00:00.000Z", settings: {}, figures },
    machine: { cores: 2, deno: "2", os: "linux", engine: "wasm" },
  });
  await mergeResults(path, { losses: result(1) });
  await mergeResults(path, { search: result(2) });
  await mergeResults(path, { losses: result(3) });
  const read = JSON.parse(await Deno.readTextFile(path));
  assert.deepEqual(read, { losses: result(3), search: result(2) });
});

Deno.test("results are not merged into a file that is not JSON", async () => {
  const path = await Deno.makeTempFile({ prefix: "triptych-bench-" });
  await Deno.writeTextFile(path, "{");
  await assert.rejects(mergeResults(path, {}), /is not JSON; move it away/);
  assert.equal(await Deno.readTextFile(path), "{");
});

Deno.test("the command refuses unknown benchmarks, options and values with exit status 2", async () => {
  const out = `${await Deno.makeTempDir({ prefix: "triptych-bench-" })}/results.json`;
  assert.equal(await main(["nope", "--out", out]), 2);
  assert.equal(await main(["toString", "--out", out]), 2);
  assert.equal(await main(["losses", "--stepps", "10", "--out", out]), 2);
  assert.equal(await main(["losses", "--steps", "7", "--out", out]), 2);
  await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
});

Deno.test("median() takes the value in the middle, or the mean of the two there", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([5]), 5);
});

Deno.test("linePlot() draws a curve a name in every panel, greater values higher, decades equally far apart", () => {
  const svg = linePlot({
    ...{ title: "a < b & c", xLabel: "images", names: ["one", "two"] },
    panels: [
      { title: "log", yLabel: "norm", logarithmic: true, curves: [[[0, 1], [5, 10], [10, 100]], [[0, 3], [10, 3]]] },
      { title: "lin", yLabel: "recall", logarithmic: false, curves: [[[0, 0.5], [10, 1]], [[0, 0.6], [10, 0.7]]] },
    ],
  });
  assert.match(svg, /a &lt; b &amp; c/);
  const curves = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) =>
    points.split(" ").map((point) => point.split(",").map(Number))
  );
  assert.equal(curves.length, 4 + 2, "four curves and two keys of the legend");
  const [[, low], [, middle], [, high]] = curves[0];
  assert(low > middle && middle > high);
  assert(Math.abs((low - middle) - (middle - high)) < 0.2);
});

Deno.test("the benchmark of decoding times files of every format, and refuses sizes and runs that it does not have", async () => {
  const { figures, table } = await decodeBenchmark.run({ megapixels: "0.3", runs: "1" }, silent);
  const rows = figures as Record<string, unknown>[];
  assert.deepEqual(rows.map(({ format }) => format), ["jpeg", "png", "webp"]);
  for (const { bytes, decode, input, fullDecode, fullInput } of rows) {
    for (const value of [bytes, decode, input, fullDecode, fullInput]) assert((value as number) > 0);
  }
  assert(table.split("\n").every((line) => line.length <= 120));
  for (const values of [{ megapixels: "5" }, { runs: "0" }]) {
    await assert.rejects(() => decodeBenchmark.run(values, silent), UsageError);
  }
});
