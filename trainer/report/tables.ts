import type { Evaluation } from "../../shared/card.ts";

const COLUMNS: [heading: string, cell: (figures: Evaluation) => string][] = [
  ["recall@1", (figures) => figures.recallAt1.toFixed(3)],
  ["recall@5", (figures) => figures.recallAt5.toFixed(3)],
  ["R-precision", (figures) => figures.rPrecision.toFixed(3)],
  ["MAP@R", (figures) => figures.mapAtR.toFixed(3)],
  ["AUC", (figures) => figures.auc.toFixed(3)],
  ["EER", (figures) => figures.eer.toFixed(3)],
];

/** Figures of several networks on the same photos, a row each, under a line that says whose photos. */
export function evaluationTable(rows: Record<string, Evaluation>, whose = "identities"): string {
  const { identities, images } = Object.values(rows)[0];
  const table = [["", ...COLUMNS.map(([heading]) => heading)]];
  for (const [name, figures] of Object.entries(rows)) table.push([name, ...COLUMNS.map(([, cell]) => cell(figures))]);
  return `On ${images} photos of ${identities} ${whose}:\n${alignColumns(table)}`;
}

/** Rows of cells as text; the first column to the left, the others to the right. */
export function alignColumns(rows: string[][]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join("  ").trimEnd()
  ).join("\n");
}
