import { alignColumns } from "../../../trainer/report/tables.ts";

/** How fast a network trained, or why it did not. */
export interface Measured {
  network: string;
  batch: number;
  engine: string;
  /** Of the CPU; undefined on a GPU. */
  threads: number | undefined;
  /** What the engine computed on, for a person. */
  device: string;
  imagesPerSecond?: number;
  /** 10^9 floating-point operations per second. */
  gigaflops?: number;
  reason?: string;
}

/** How fast a matrix product was. */
export type Peak = Required<Pick<Measured, "engine" | "threads" | "gigaflops">>;

/** A speed beside others: of the same network and batch, on as many threads or on the GPU as well. */
export interface Figure extends Measured {
  /** Its GFLOP/s by those of the peak. */
  shareOfPeak?: number;
  /** Its images per second by those of PyTorch. */
  toTorch?: number;
  /** Its images per second by those of the node engine. */
  toNode?: number;
}

const COLUMNS: [heading: string, cell: (figure: Figure) => string | undefined][] = [
  ["images/s", ({ imagesPerSecond }) => imagesPerSecond?.toFixed(1)],
  ["GFLOP/s", ({ gigaflops }) => gigaflops?.toFixed(1)],
  ["of peak", ({ shareOfPeak }) => shareOfPeak === undefined ? undefined : `${(100 * shareOfPeak).toFixed(1)}%`],
  ["to PyTorch", ({ toTorch }) => toTorch?.toFixed(2)],
  ["to node", ({ toNode }) => toNode?.toFixed(2)],
];

/** The peak of every device and number of threads: the product that nobody surpassed there. */
export function peaksOf(products: readonly Peak[]): Peak[] {
  const byThreads = Map.groupBy(products, ({ threads }) => threads);
  return [...byThreads.values()].map((peaks) => peaks.reduce((a, b) => b.gigaflops > a.gigaflops ? b : a));
}

/** Sets each speed beside the peak, PyTorch and the node engine. */
export function compare(all: readonly Measured[], peaks: readonly Peak[]): Figure[] {
  return all.map((one) => {
    const { network, batch, threads, imagesPerSecond, gigaflops } = one;
    if (imagesPerSecond === undefined || gigaflops === undefined) return one;
    const ratioTo = (key: "toTorch" | "toNode", ...engines: string[]) => {
      const speed = all.find((other) =>
        engines.includes(other.engine) && other.network === network && other.batch === batch &&
        other.threads === threads
      )?.imagesPerSecond;
      return speed === undefined ? {} : { [key]: imagesPerSecond / speed };
    };
    const peak = peaks.find((peak) => peak.threads === threads)!;
    return {
      ...one,
      shareOfPeak: gigaflops / peak.gigaflops,
      ...ratioTo("toTorch", "torch", "torch-cuda"),
      ...ratioTo("toNode", "node"),
    };
  });
}

/** A block of rows for every network and batch, with the columns that any of them fills. */
export function trainTable(figures: readonly Figure[]): string {
  const columns = COLUMNS.filter(([, cell]) => figures.some((figure) => cell(figure) !== undefined));
  const blocks = [...Map.groupBy(figures, ({ network, batch }) => `${network}, batch ${batch}`)];
  const rows = blocks.flatMap(([title, figures], i) => [
    ...(i === 0 ? [] : [{ cells: ["", ...columns.map(() => "")] }]),
    { cells: [title, ...columns.map(([heading]) => heading)] },
    ...figures.map((figure) => ({
      cells: [`  ${nameOf(figure)}`, ...columns.map(([, cell]) => cell(figure) ?? (figure.reason ? "" : "-"))],
      reason: figure.reason,
    })),
  ]);
  const lines = alignColumns(rows.map(({ cells }) => cells)).split("\n");
  return lines.map((line, i) => "reason" in rows[i] && rows[i].reason ? `${line}: ${rows[i].reason}` : line).join("\n");
}

/** An engine with its threads, such as `wasm, 2 threads`. */
export function nameOf({ engine, threads }: Pick<Measured, "engine" | "threads">): string {
  return threads === undefined ? engine : `${engine}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}
