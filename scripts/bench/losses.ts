import { UsageError } from "../../shared/errors.ts";
import { chooseEngine } from "../../trainer/engines/mod.ts";
import { inputOf } from "../../trainer/models/pixel_scales.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { type DigitSplit, readDigits } from "./digits.ts";
import { linePlot } from "./line_plot.ts";
import type { LayerGradients } from "./loss_run.ts";
import {
  configOf,
  firstGradients,
  raceLosses,
  type RaceSettings,
  type SplitFigures,
  type VariantFigures,
  VARIANTS,
} from "./loss_race.ts";

const DEFAULTS = { steps: 100, seeds: 3, backbone: "thin-resnet" };
const RACE = { imagesPerStep: 48, points: 10, probesOnTheWay: 250 };
/** The network of the question, whose gradients at the start are measured too. */
const DEEP = "resnet50";
const IMAGES = { train: 12_000, test: 1000 };

/** From the siamese network of the question to the triplet loss of the answer, on MNIST: see docs/from-siamese-to-triplet.md. */
export const benchmark: Benchmark = {
  about: "seven ways to train on MNIST with the same network, images and steps",
  options: { steps: { type: "string" }, seeds: { type: "string" }, backbone: { type: "string" } },
  usage: `
  --steps N              of each of the 14 runs a seed, a multiple of ${RACE.points} (default ${DEFAULTS.steps})
  --seeds N              figures are medians over seeds 1 to N (default ${DEFAULTS.seeds})
  --backbone NAME        such as resnet50, that of the answer (default ${DEFAULTS.backbone})`.slice(1),
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const settings = settingsOf(values);
    const { name, device } = await chooseEngine("auto");
    const config = configOf(Object.values(VARIANTS)[0], 1, settings);
    const digits = await readDigits(inputOf(config), IMAGES);
    const figures = await raceLosses(digits, settings, reporter);
    const deep = await firstGradients(digits.seen, { ...settings, backbone: DEEP });
    return {
      engine: `${name}, ${device}`,
      settings: {
        ...settings,
        images: {
          seen: { train: digits.seen.photos.length, test: digits.seen.probes.length },
          unseen: { train: digits.unseen.photos.length, test: digits.unseen.probes.length },
        },
        learningRate: config.learningRate,
        dimensions: config.dimensions,
      },
      figures: { variants: figures, firstGradients: { [DEEP]: deep } },
      table: `${tableOf(figures)}\n\n${gradientLines(deep)}`,
      plots: { "gradient-norms.svg": gradientPlot(figures), "recall.svg": recallPlot(figures) },
    };
  },
};

function settingsOf(values: BenchmarkValues): RaceSettings {
  const count = (name: "steps" | "seeds", multipleOf: number) => {
    const value = Number(values[name] ?? DEFAULTS[name]);
    if (Number.isInteger(value) && value > 0 && value % multipleOf === 0) return value;
    const kind = multipleOf === 1 ? "integer" : `multiple of ${multipleOf}`;
    throw new UsageError(`--${name} is a positive ${kind}, not ${values[name]}.`);
  };
  return {
    ...RACE,
    backbone: String(values.backbone ?? DEFAULTS.backbone),
    steps: count("steps", RACE.points),
    seeds: Array.from({ length: count("seeds", 1) }, (_, i) => i + 1),
  };
}

type Figures = Record<string, VariantFigures>;

/** Gradients of the seen split: the first step, the median of the last tenth, and at the end by layer. */
function tableOf(figures: Figures): string {
  const heading = [
    ...["", "recall@1", "MAP@R", "recall@1", "MAP@R", "gradient", "last", "1st conv", "embedding"],
    ...["loss", "images/s", "speed"],
  ];
  const above = ["", "seen", "seen", "unseen", "unseen", "1st step", "tenth", "at end", "at end", "at end", "", ""];
  const { seen, unseen } = Object.values(figures)[0].splits;
  const untrained = ["untrained", ...recallCells(seen, "before"), ...recallCells(unseen, "before")];
  const rows = Object.entries(figures).map(([name, variant]) => row(name, variant));
  const table = alignColumns([heading, above, [...untrained, ...Array(7).fill("")], ...rows]);
  const byHead = Object.entries(figures).flatMap(([name, { splits: { seen, unseen } }]) =>
    seen.recallAt1ByHead === undefined
      ? []
      : [`${name} ${seen.recallAt1ByHead.toFixed(3)} and ${unseen.recallAt1ByHead!.toFixed(3)}`]
  );
  return `${table}\n\nRecall@1 by the siamese network's own unit, seen and unseen:\n  ${byHead.join("\n  ")}`;
}

function row(name: string, { splits: { seen, unseen }, imagesPerSecond, speedup }: VariantFigures): string[] {
  const { layerGradients } = seen.points.at(-1)!, { gradientNorm, loss } = seen.parts.at(-1)!;
  return [
    ...[name, ...recallCells(seen, "after"), ...recallCells(unseen, "after")],
    ...[seen.firstGradientNorm, gradientNorm, layerGradients.first, layerGradients.last].map((norm) =>
      norm.toPrecision(2)
    ),
    ...[loss.toFixed(3), imagesPerSecond.toFixed(0), speedup.toFixed(2)],
  ];
}

function recallCells(figures: SplitFigures, when: "before" | "after"): string[] {
  return [figures[when].recallAt1.toFixed(3), figures[when].mapAtR.toFixed(3)];
}

function gradientLines(gradients: Record<string, LayerGradients>): string {
  const rows = Object.entries(gradients).map(([name, { first, last }]) => [
    ...[name, first, last].map((cell) => typeof cell === "number" ? cell.toPrecision(2) : cell),
  ]);
  return alignColumns([[`${DEEP}, first batch`, "1st conv", "embedding"], ...rows]);
}

function gradientPlot(figures: Figures): string {
  const variants = Object.values(figures);
  const panel = (title: string, curveOf: (figures: SplitFigures) => [number, number][]) => ({
    ...{ title, yLabel: "gradient norm", logarithmic: true },
    curves: variants.map(({ splits }) => curveOf(splits.seen)),
  });
  return linePlot({
    title: "Length of the gradient while training on all ten digits",
    xLabel: "images seen",
    names: Object.keys(figures),
    panels: [
      panel(
        "all weights, median of a tenth of the run",
        ({ parts }) => parts.map(({ images, gradientNorm }) => [images, gradientNorm]),
      ),
      panel(
        "kernel of the first convolution, one batch",
        ({ points }) => points.map(({ images, layerGradients }) => [images, layerGradients.first]),
      ),
    ],
  });
}

function recallPlot(figures: Figures): string {
  const panel = (split: DigitSplit, title: string) => ({
    ...{ title, yLabel: "recall@1", logarithmic: false },
    curves: Object.values(figures).map(({ splits }) =>
      splits[split].points.map(({ images, recallAt1 }): [number, number] => [images, recallAt1])
    ),
  });
  return linePlot({
    title: "Recall@1 while training",
    xLabel: "images seen",
    names: Object.keys(figures),
    panels: [panel("seen", "digits 0-9, all trained on"), panel("unseen", "digits 7-9, trained on 0-6")],
  });
}
