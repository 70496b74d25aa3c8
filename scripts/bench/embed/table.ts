import { alignColumns } from "../../../trainer/report/tables.ts";
import { isInt8 } from "./engines.ts";
import type { Peak } from "./protocol.ts";
import type { Measured } from "./race.ts";

/** What was measured, beside tfjs and the peak of the core. */
export interface Figure extends Measured {
  /** How many times as fast as tfjs. */
  toTfjs?: number;
  /** Its GFLOP/s by the most that the kernels reach. */
  shareOfPeak?: number;
  /** Bytes of its code. */
  shipped?: number;
}

const COLUMNS: [heading: string, cell: (figure: Figure) => string | undefined][] = [
  ["ms", ({ milliseconds }) => milliseconds?.toFixed(1)],
  ["to tfjs", ({ toTfjs }) => toTfjs?.toFixed(2)],
  ["GFLOP/s", ({ gigaflops }) => gigaflops?.toFixed(1)],
  ["of peak", ({ shareOfPeak }) => shareOfPeak === undefined ? undefined : `${(100 * shareOfPeak).toFixed(0)}%`],
  ["cold ms", ({ coldMilliseconds }) => coldMilliseconds?.toFixed(0)],
  ["resident MB", ({ resident }) => resident === undefined ? undefined : (resident / 1e6).toFixed(0)],
  ["code KB", ({ shipped }) => shipped === undefined ? undefined : (shipped / 1e3).toFixed(0)],
];

/** Sets what was measured beside tfjs and the peak. */
export function compare(all: readonly Measured[], peak: Peak, shipped: ReadonlyMap<string, number>): Figure[] {
  return all.map((one) => {
    const { network, engine, milliseconds, gigaflops } = one;
    const code = shipped.get(engine), tfjs = all.find((other) => other.network === network && other.engine === "tfjs");
    return {
      ...one,
      ...(code === undefined ? {} : { shipped: code }),
      ...(gigaflops === undefined ? {} : { shareOfPeak: gigaflops / (isInt8(engine) ? peak.int8 : peak.float32) }),
      ...(milliseconds === undefined || tfjs?.milliseconds === undefined
        ? {}
        : { toTfjs: tfjs.milliseconds / milliseconds }),
    };
  });
}

/** A block of rows for every network. */
export function embedTable(figures: readonly Figure[]): string {
  const rows = [...Map.groupBy(figures, ({ network }) => network)].flatMap(([network, figures]) => [
    [network, ...COLUMNS.map(([heading]) => heading)],
    ...figures.map((figure) => [`  ${figure.engine}`, ...COLUMNS.map(([, cell]) => cell(figure) ?? "-")]),
  ]);
  const reasons = figures.filter(({ reason }) => reason).map(({ network, engine, reason }) =>
    `${engine} is not measured on ${network}: ${reason}`
  );
  return [alignColumns(rows), ...reasons].join("\n");
}
