import { counted, element, folded, oneIn, percent, section, table } from "./dom.js";

/** The model card, the figures of every stage, and all settings. */
export function card(content) {
  const { card: facts, config, evaluation, evaluations, gallery, identification } = content;
  const { input, quantization, training } = facts;
  return section(
    "card",
    "Model card",
    evaluation.protocol.replace(/^./, (letter) => letter.toUpperCase()) + ".",
    evaluationTable(evaluations),
    identificationTable([
      ["Each photo among the others", identification],
      ...(gallery ? [["Each photo in the gallery", gallery.identification]] : []),
    ]),
    gallery ? element("p", {}, inWords(gallery)) : null,
    thresholdTable(facts.thresholds),
    element(
      "div",
      { className: "lists" },
      list("Input", {
        Size: `${input.width} × ${input.height} px, ${input.channels === 1 ? "grey" : "RGB"}`,
        Fit: input.fit,
        Mean: input.mean.join(", "),
        "Standard deviation": input.std.join(", "),
        Embedding: `${facts.embedding.dimensions} dimensions, ${facts.embedding.metric} distance`,
      }),
      list("Weights", {
        Scheme: quantization.scheme,
        Size: `${quantization.bytes.toLocaleString("en")} bytes`,
        "Cosine to float32": `${quantization.meanCosine.toFixed(6)} in the mean, ${
          quantization.minCosine.toFixed(6)
        } at least`,
        "Change of recall@1": signedPoints(quantization.recallAt1Delta),
        Fingerprint: facts.fingerprint,
      }),
      list("Training", {
        Backbone: training.backbone,
        Loss: training.loss,
        Sampler: training.sampler,
        Optimizer: training.optimizer,
        Engine: content.engine ?? training.engine,
        Epochs: String(training.epochs),
        Time: duration(training.seconds),
        Seed: String(training.seed),
        "Hash of the photos": training.dataHash,
        "Version of Triptych": training.version,
      }),
    ),
    Object.keys(config).length > 0 ? folded("All settings", settingsTable(config)) : null,
  );
}

function settingsTable(config) {
  return table(
    "Settings of the run",
    ["Setting", "Value"],
    Object.entries(config).map((
      [key, value],
    ) => [key, typeof value === "string" ? value : JSON.stringify(value) ?? "–"]),
  );
}

const COLUMNS = {
  "Recall@1": "recallAt1",
  "Recall@5": "recallAt5",
  "Recall@10": "recallAt10",
  "R-precision": "rPrecision",
  "MAP@R": "mapAtR",
  NMI: "nmi",
  AUC: "auc",
  EER: "eer",
};

function evaluationTable(evaluations) {
  const rows = evaluations.map((figures) => [
    figures.network,
    ...Object.values(COLUMNS).map((key) => figures[key]?.toFixed(3) ?? "–"),
  ]);
  const headings = Object.keys(COLUMNS).map((heading) => `#${heading}`);
  return table("Figures on the test photos", ["Network", ...headings], rows);
}

/** Searches by people who are enrolled and by others: the answer may be that nobody is there. */
function identificationTable(searches) {
  const rows = searches.flatMap(([what, { at, galleryIdentities }]) =>
    at.map(({ fpir, distance, fnir }) => [
      what,
      galleryIdentities.toLocaleString("en"),
      percent(fpir),
      distance.toFixed(4),
      percent(fnir),
    ])
  );
  return table("Open-set identification at rank 1", ["Search", "#Identities", "#FPIR", "#Distance", "#FNIR"], rows);
}

function inWords({ identities, galleryImages, probes, recallAt1, recallAt5, recallAt10 }) {
  return `Of ${counted(probes, "photo")}, looked up in a gallery of ${
    counted(galleryImages, "photo")
  } of ${identities} identities: recall@1 ${percent(recallAt1)}, recall@5 ${percent(recallAt5)}, recall@10 ${
    percent(recallAt10)
  }.`;
}

function thresholdTable(thresholds) {
  return table(
    "Thresholds of the card",
    ["#False matches", "#Distance", "#False non-matches", "#95% interval"],
    thresholds.map(({ fmr, distance, fnmr, fnmrLow, fnmrHigh }) => [
      oneIn(fmr),
      distance.toFixed(4),
      percent(fnmr),
      `${percent(fnmrLow)} to ${percent(fnmrHigh)}`,
    ]),
  );
}

function list(title, entries) {
  const items = Object.entries(entries).map(([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, value))
  );
  return element("div", {}, element("h3", {}, title), element("dl", { className: "terms" }, ...items));
}

function signedPoints(change) {
  if (change === 0) return "none";
  return `${change > 0 ? "+" : "−"}${Math.abs(100 * change).toFixed(2)} points`;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
