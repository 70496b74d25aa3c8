import type { Card } from "../../../../shared/card.ts";
import { evaluateEmbeddings } from "../../../../trainer/metrics/mod.ts";
import { randomStream } from "../../../../trainer/random.ts";
import type { ReportData } from "../../../../trainer/report/report.ts";

/** Where the images of each identity lie on a circle, degrees; identity 3 lies among the images of identity 2. */
const ANGLES = [0, 60, 120, 121, 200, 290];
const IMAGES = 6;
const SIZE = 16;

/** A small run: 6 identities of 6 images each, embedded on a circle, with a name that is HTML. */
export function reportData(): ReportData {
  const random = randomStream(7, "report data");
  const names = ["Äpfel", "</script><img src=x onerror=alert(1)>", "beans", "corn", "dill", "eggs"];
  const rows = names.flatMap((identity, i) =>
    Array.from({ length: IMAGES }, (_, j) => ({ identity, label: i, name: `test/${i}/${j}.jpg` }))
  );
  const embeddings = Float32Array.from(rows.flatMap(({ label }) => {
    const angle = (ANGLES[label] + 8 * (random() - 0.5)) * Math.PI / 180;
    return [Math.cos(angle), Math.sin(angle)];
  }));
  const judged = evaluateEmbeddings(embeddings, rows.map(({ label }) => label), { seed: 1 });
  const { evaluation, thresholds, calibration } = judged;
  const card: Card = {
    cardVersion: 1,
    fingerprint: `sha256:${"0".repeat(64)}`,
    input: { height: SIZE, width: SIZE, channels: 3, fit: "cover", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    embedding: { dimensions: 2, metric: "euclidean" },
    thresholds,
    calibration,
    evaluation,
    quantization: { scheme: "uint8", bytes: 1000, meanCosine: 1, minCosine: 1, recallAt1Delta: 0 },
    goldens: [{ input: "R09MREVO", embedding: [0, 1] }],
    training: {
      backbone: "thin-resnet",
      loss: "triplet-semihard",
      sampler: "PK",
      optimizer: "Adam",
      seed: 1,
      engine: "wasm",
      epochs: 1,
      seconds: 1,
      dataHash: "sha256:0",
      version: "0.1.0",
    },
  };
  return {
    title: "fruit & </title>",
    config: { learningRate: 0.001 },
    card,
    engine: "wasm",
    steps: [1, 2, 3].map((step) => ({
      step,
      loss: 1 / step,
      activeTripletShare: 0.5,
      meanPairwiseDistance: 1,
      embeddingNorm: 1,
      gradientNorm: step === 2 ? NaN : 1,
      learningRate: 1e-3,
      imagesPerSecond: 80,
      waitingShare: 0,
    })),
    epochs: [],
    earlier: { Untrained: evaluation, Trained: evaluation },
    figures: judged,
    gallery: undefined,
    probes: rows.map(({ identity, name, label }) => ({
      identity,
      name,
      pixels: new Uint8Array(SIZE * SIZE * 3).fill(40 * label),
    })),
    embeddings,
  };
}
