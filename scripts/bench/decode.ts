import { decode as decodeInJavaScript } from "jpeg-js";
import type { InputSpec } from "../../shared/card.ts";
import { UsageError } from "../../shared/errors.ts";
import { admit, decodeFor } from "../../shared/image/decode.ts";
import { decode, encodeJpeg, encodePng, type ImageFormat, normalize, toInputPixels } from "../../shared/image/mod.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import type { Benchmark, BenchmarkOutcome, BenchmarkValues } from "./benchmark.ts";
import { decodeWithMozJpeg } from "./decode/mozjpeg.ts";
import { detailedPicture, encodeWebp } from "./decode/pictures.ts";
import { referenceResize } from "./decode/reference_resize.ts";
import { median } from "./median.ts";

const SIZES = [
  { megapixels: 0.3, width: 640, height: 480 },
  { megapixels: 2, width: 1632, height: 1224 },
  { megapixels: 8, width: 3264, height: 2448 },
  { megapixels: 12, width: 4000, height: 3000 },
];
const NAMES = SIZES.map(({ megapixels }) => String(megapixels));
const FORMATS: ImageFormat[] = ["jpeg", "png", "webp"];
const DEFAULT_RUNS = 7;
const QUALITY = 85;
const INPUT: InputSpec = {
  ...{ height: 160, width: 160, channels: 3, fit: "cover" },
  ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};

/** What is timed. */
const CONTENDERS = {
  /** As far as the pixels of the file, at the size that the input needs. */
  decode: async (bytes: Uint8Array) => void await decodeFor(bytes, admit(bytes), reductionOf(bytes)),
  /** As far as the network's input. */
  input: async (bytes: Uint8Array) => void normalize(await toInputPixels(bytes, INPUT), INPUT),
  fullDecode: async (bytes: Uint8Array) => void await decodeWhole(bytes),
  fullInput: async (bytes: Uint8Array) => {
    const image = await decodeWhole(bytes), side = Math.min(image.width, image.height);
    const region = { x: (image.width - side) / 2, y: (image.height - side) / 2, width: side, height: side };
    normalize(referenceResize(image, region, INPUT.height, INPUT.width), INPUT);
  },
  /** In JavaScript alone, as far as the pixels of a JPEG. */
  javaScript: (bytes: Uint8Array) => {
    if (admit(bytes).format === "jpeg") decodeInJavaScript(bytes, { useTArray: true, maxMemoryUsageInMB: 2048 });
    return Promise.resolve();
  },
} as const satisfies Record<string, (bytes: Uint8Array) => Promise<void>>;

type Contender = keyof typeof CONTENDERS;

/** From the bytes of an image file to the network's input, beside the whole file decoded and scaled in TypeScript. */
export const benchmark: Benchmark = {
  about: "from the bytes of JPEG, PNG and WebP files to the network's input, and what of that is decoding",
  options: { megapixels: { type: "string" }, runs: { type: "string" } },
  usage: `
  --megapixels A,B       some of ${NAMES.join(", ")} (default all)
  --runs N               contenders take turns; figures are medians (default ${DEFAULT_RUNS})`.slice(1),
  async run(values, reporter): Promise<BenchmarkOutcome> {
    const { sizes, runs } = settingsOf(values);
    const figures: Figure[] = [];
    for (const { megapixels, ...size } of sizes) {
      for (const [format, bytes] of await filesOf(size)) {
        figures.push({ format, megapixels, bytes: bytes.length, ...await race(bytes, runs) });
        reporter.info(`${format} of ${megapixels} megapixels done.`);
      }
    }
    return { engine: "wasm", settings: { input: INPUT, runs }, figures, table: tableOf(figures), plots: {} };
  },
};

type Figure = { format: ImageFormat; megapixels: number; bytes: number } & Record<Contender, number>;

function settingsOf(values: BenchmarkValues) {
  const runs = Number(values.runs ?? DEFAULT_RUNS);
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError(`--runs ${values.runs} is not right; give 1 or more.`);
  const chosen = values.megapixels === undefined ? NAMES : String(values.megapixels).split(",");
  const unknown = chosen.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw new UsageError(`--megapixels takes some of ${NAMES.join(", ")}, not ${unknown}.`);
  return { sizes: SIZES.filter((_, i) => chosen.includes(NAMES[i])), runs };
}

async function filesOf({ width, height }: { width: number; height: number }): Promise<[ImageFormat, Uint8Array][]> {
  const picture = await detailedPicture(width, height, 1);
  const rgb = Uint8Array.from({ length: 3 * width * height }, (_, i) => picture.data[4 * Math.floor(i / 3) + i % 3]);
  const files: Record<ImageFormat, Uint8Array> = {
    jpeg: await encodeJpeg(picture, QUALITY, false),
    png: await encodePng(rgb, height, width, 3),
    webp: await encodeWebp(picture, { lossless: false }),
  };
  return FORMATS.map((format) => [format, files[format]]);
}

async function race(bytes: Uint8Array, runs: number): Promise<Record<Contender, number>> {
  const names = Object.keys(CONTENDERS) as Contender[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  // The first round compiles. Each round begins with another: what one leaves to the garbage collector, the next may pay.
  for (let run = -1; run < runs; run++) {
    names.push(names.shift()!);
    for (const name of names) {
      const start = performance.now();
      await CONTENDERS[name](bytes);
      if (run >= 0) times.get(name)!.push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name)!)])) as Record<Contender, number>;
}

function reductionOf(bytes: Uint8Array): number {
  const { width, height } = admit(bytes);
  return Math.min(width / INPUT.width, height / INPUT.height);
}

function decodeWhole(bytes: Uint8Array) {
  return admit(bytes).format === "jpeg" ? decodeWithMozJpeg(bytes) : decode(bytes);
}

function tableOf(figures: Figure[]): string {
  const text = (milliseconds: number) => milliseconds.toFixed(1);
  return alignColumns([
    ["ms", "MB", "decoded", "to the input", "decoded whole", "to the input", "jpeg-js, decoded whole"],
    ...figures.map(({ format, megapixels, bytes, ...times }) => [
      `${format}, ${megapixels} megapixels`,
      (bytes / 1e6).toFixed(2),
      ...[times.decode, times.input, times.fullDecode, times.fullInput].map(text),
      format === "jpeg" ? text(times.javaScript) : "",
    ]),
  ]);
}
