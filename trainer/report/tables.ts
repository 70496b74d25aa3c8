import type { Evaluation } from "../../shared/card.ts";
import type { LayerError } from "../export/mod.ts";
import type { NamedFailures } from "../failures.ts";
import type { DistanceSummary, EvaluatedEmbeddings, EvaluatedGallery, Identification } from "../metrics/mod.ts";

const COLUMNS: [heading: string, cell: (figures: Evaluation) => string][] = [
  ["recall@1", (figures) => figures.recallAt1.toFixed(3)],
  ["recall@5", (figures) => figures.recallAt5.toFixed(3)],
  ["recall@10", (figures) => figures.recallAt10?.toFixed(3) ?? "-"],
  ["R-precision", (figures) => figures.rPrecision.toFixed(3)],
  ["MAP@R", (figures) => figures.mapAtR.toFixed(3)],
  ["NMI", (figures) => figures.nmi?.toFixed(3) ?? "-"],
  ["AUC", (figures) => figures.auc.toFixed(3)],
  ["EER", (figures) => figures.eer.toFixed(3)],
];

/** Figures of several networks on the same photos, a row each, under a line that says whose photos; of faces, a line on the last. */
export function evaluationTable(rows: Record<string, Evaluation>, whose = "identities"): string {
  const { identities, images } = Object.values(rows)[0];
  const table = [["", ...COLUMNS.map(([heading]) => heading)]];
  for (const [name, figures] of Object.entries(rows)) table.push([name, ...COLUMNS.map(([, cell]) => cell(figures))]);
  const { rank1, undetected = 0 } = Object.values(rows).at(-1)!;
  const lines = rank1 === undefined
    ? ""
    : `\nWith one photo of each enrolled: rank-1 ${rank1.toFixed(4)}. No face found in ${
      (100 * undetected).toFixed(1)
    }% of the photos, which count as errors.`;
  return `On ${images} photos of ${identities} ${whose}:\n${alignColumns(table)}${lines}`;
}

/** Distance, false-match rate and false-non-match rate of thresholds, and between what the distances lie. */
export function thresholdTable(judged: Pick<EvaluatedEmbeddings, "thresholds" | "genuine" | "impostor">): string {
  const rows = judged.thresholds.map(({ fmr, distance, fnmr, fnmrLow, fnmrHigh }) => [
    String(fmr),
    distance.toFixed(3),
    fnmr.toFixed(3),
    `${fnmrLow.toFixed(3)} to ${fnmrHigh.toFixed(3)}`,
  ]);
  const spread = ({ median, p05, p95 }: DistanceSummary) =>
    `${median.toFixed(2)} (${p05.toFixed(2)} to ${p95.toFixed(2)})`;
  return [
    alignColumns([["FMR", "distance", "FNMR", "95% interval"], ...rows]),
    `Distances, median and 5% to 95%: same identity ${spread(judged.genuine)}, different ${spread(judged.impostor)}.`,
  ].join("\n");
}

/** Error rates of searches by people who are enrolled and by others, at thresholds. */
export function identificationTable({ at, galleryIdentities }: Identification): string {
  const rows = at.map(({ fpir, distance, fnir }) => [String(fpir), distance.toFixed(3), fnir.toFixed(3)]);
  return `Open-set identification among ${galleryIdentities} identities, rank 1:\n${
    rows.length === 0
      ? "Too few photos to say: 30 false positives must show."
      : alignColumns([["FPIR", "distance", "FNIR"], ...rows])
  }`;
}

/** The identities that photos are not found for, worst first, each with the photo that is furthest from being found. */
export function failureTable(failures: readonly NamedFailures[], most: number): string {
  if (failures.length === 0) return "Every photo is nearest to one of its own identity.";
  const rows = failures.slice(0, most).map(({ photos, recallAt1, failures: [worst] }) => [
    worst.photo,
    worst.takenFor.photo,
    recallAt1.toFixed(2),
    String(photos),
  ]);
  const left = failures.length > rows.length ? ` (${rows.length} of ${failures.length}; --json lists all)` : "";
  return `Worst identities${left}:\n${alignColumns([["photo", "taken for", "recall@1", "photos"], ...rows])}`;
}

/** The layers at which int8 costs most, worst first. */
export function layerErrorTable(layers: readonly LayerError[], most: number): string {
  const worst = [...layers].sort((a, b) => b.loss - a.loss).slice(0, most);
  const rows = worst.map(({ name, op, sqnr, loss }) => [name, op, sqnr.toFixed(1), loss.toExponential(1)]);
  return `Where int8 differs from float32, by layers (${rows.length} of ${layers.length}; quantization.json lists all):\n${
    alignColumns([["layer", "operation", "SQNR, dB", "1 - cosine, alone"], ...rows])
  }`;
}

/** How well photos are found in a gallery, in one line. */
export function gallerySentence(figures: Omit<EvaluatedGallery, "neighbours">): string {
  const { probes, identities, galleryImages, recallAt1, recallAt5, recallAt10 } = figures;
  return `In a gallery of ${galleryImages} photos of ${identities} identities, ${probes} photos: recall@1 ${
    recallAt1.toFixed(3)
  }, recall@5 ${recallAt5.toFixed(3)}, recall@10 ${recallAt10.toFixed(3)}.`;
}

/** Rows of cells as text; the first column to the left, the others to the right. */
export function alignColumns(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd()
  ).join("\n");
}
