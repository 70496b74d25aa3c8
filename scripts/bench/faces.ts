import * as tf from "@tensorflow/tfjs";
import { findFaces } from "../../shared/face/mod.ts";
import { loadFaceNetworks } from "../../shared/face_networks.ts";
import { decode, type Image, resize } from "../../shared/image/mod.ts";
import { type ModelFiles, readModelFiles } from "../../shared/model_files.ts";
import { packageFile } from "../../shared/package_file.ts";
import { useWasmBackend } from "../../shared/tfjs_wasm.ts";
import { alignColumns } from "../../trainer/report/tables.ts";
import { createTfjsEmbedder } from "../../worker/embedder/tfjs.ts";
import { loadFaceApiPackage } from "../faces/face_api.ts";
import type { Benchmark, BenchmarkOutcome } from "./benchmark.ts";
import { type Accuracy, accuracyOf, type FaceEmbedder } from "./faces/accuracy.ts";
import { median } from "./median.ts";

const MODEL = "samples/face-model";
const DEFAULT_RUNS = 20;
/** A photo of three people in the package that we compare with, and the part of it that becomes 640 x 480 pixels. */
const PHOTO = { file: "@vladmandic/face-api/demo/sample1.jpg", width: 640, height: 480 };
/** face-api's own default for its small detector is 416; its authors recommend multiples of 32 from 128 to 608. */
const DETECTOR_SIZE = 320;

/** From a photo to the embedding of its largest face, beside the same by face-api on the same tfjs. */
export const benchmark: Benchmark = {
  about: "from a photo to the embedding of a face: milliseconds, and errors on people, beside npm @vladmandic/face-api",
  options: { data: { type: "string" }, runs: { type: "string" } },
  usage: `  --data DIR             people to recognise, a folder each; without it only times are measured
  --runs N               photos of 640 x 480 pixels that each takes; figures are medians (default ${DEFAULT_RUNS})`,
  async run(values, reporter): Promise<BenchmarkOutcome> {
    await useWasmBackend();
    const runs = Number(values.runs ?? DEFAULT_RUNS);
    const contenders = { triptych: await ours(await readModelFiles(MODEL)), ...await faceApis() };
    const photo = await readPhoto();
    const times = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
    for (let run = -2; run < runs; run++) {
      for (const [name, embed] of Object.entries(contenders)) {
        const start = performance.now();
        await embed(photo);
        if (run >= 0) times.get(name)!.push(performance.now() - start);
      }
    }
    const figures: Row[] = [];
    for (const [name, embed] of Object.entries(contenders)) {
      const milliseconds = median(times.get(name)!);
      const accuracy = values.data === undefined ? undefined : await accuracyOf(embed, values.data as string);
      figures.push({ name, milliseconds, ...accuracy });
      reporter.info(`${name} done.`);
    }
    return {
      engine: "wasm, 1 thread",
      settings: { model: MODEL, runs, data: values.data },
      figures,
      table: table(figures),
      plots: {},
    };
  },
};

interface Row extends Partial<Accuracy> {
  name: string;
  milliseconds: number;
}

async function ours(model: ModelFiles): Promise<FaceEmbedder> {
  const networks = await loadFaceNetworks(model.face!);
  const embedder = await createTfjsEmbedder(model);
  const spec = { input: model.card.input, face: model.card.face! };
  return async (image) => {
    const [largest] = await findFaces(image, networks, spec);
    return largest && await embedder.embed(largest.pixels);
  };
}

/** As its README uses it, with the default detector, and with the small one. */
async function faceApis(): Promise<Record<string, FaceEmbedder>> {
  const api = await loadFaceApiPackage();
  const embedderWith = (options?: object): FaceEmbedder => async (image) => {
    const pixels = tf.tidy(() =>
      tf.slice(tf.tensor3d(Int32Array.from(image.data), [image.height, image.width, 4], "int32"), 0, [-1, -1, 3])
    );
    const faces = await api.detectAllFaces(pixels, options).withFaceLandmarks().withFaceDescriptors();
    pixels.dispose();
    const area = ({ detection: { box } }: typeof faces[number]) => box.width * box.height;
    const descriptor = faces.toSorted((a, b) => area(b) - area(a)).at(0)?.descriptor;
    const length = Math.hypot(...descriptor ?? []);
    return descriptor?.map((value) => value / length);
  };
  return {
    "face-api, default detector": embedderWith(),
    [`face-api, TinyFaceDetector at ${DETECTOR_SIZE}`]: embedderWith(
      new api.TinyFaceDetectorOptions({ inputSize: DETECTOR_SIZE }),
    ),
  };
}

async function readPhoto(): Promise<Image> {
  const photo = await decode(await Deno.readFile(packageFile(PHOTO.file)));
  const { width, height } = PHOTO;
  const whole = { x: 0, y: 0, width: photo.height * width / height, height: photo.height };
  const rgb = resize(photo, { ...whole, x: (photo.width - whole.width) / 2 }, height, width);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  return { width, height, data };
}

function table(rows: Row[]): string {
  const cells = rows.map(({ name, milliseconds, undetected, rank1, eer }) => [
    name,
    milliseconds.toFixed(0),
    undetected === undefined ? "-" : String(undetected),
    rank1?.toFixed(4) ?? "-",
    eer === undefined ? "-" : `${(100 * eer).toFixed(2)}%`,
  ]);
  return alignColumns([["", "ms a photo", "undetected", "rank-1", "EER"], ...cells]);
}
