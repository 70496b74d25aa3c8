import { element, folded, oneIn, percent, section, table } from "./dom.js";

/** The model card, the figures of every stage, and all settings. */
export function card(content) {
  const { card: facts, config, evaluations, gallery } = content;
  const { input, quantization, training } = facts;
  return section(
    "card",
    "Model card",
    facts.evaluation.protocol.replace(/^./, (letter) => letter.toUpperCase()) + ".",
    evaluationTable(evaluations),
    gallery
      ? element(
        "p",
        {},
        `Against a separate gallery of ${gallery.identities} identities: recall@1 ${
          percent(gallery.recallAt1)
        }, recall@5 ${percent(gallery.recallAt5)}.`,
      )
      : null,
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
        Engine: content.engine,
        Epochs: String(training.epochs),
        Time: duration(training.seconds),
        Seed: String(training.seed),
        "Hash of the photos": training.dataHash,
        "Version of Triptych": training.version,
      }),
    ),
    folded(
      "All settings",
      table(
        "Settings of the run",
        ["Setting", "Value"],
        Object.entries(config).map((
          [key, value],
        ) => [key, typeof value === "string" ? value : JSON.stringify(value) ?? "–"]),
      ),
    ),
  );
}

function evaluationTable(evaluations) {
  const rows = evaluations.map((figures) => [
    figures.network,
    ...[figures.recallAt1, figures.recallAt5, figures.rPrecision, figures.mapAtR, figures.auc, figures.eer].map((
      value,
    ) => value.toFixed(3)),
  ]);
  return table(
    "Figures on the test photos",
    ["Network", "#Recall@1", "#Recall@5", "#R-precision", "#MAP@R", "#AUC", "#EER"],
    rows,
  );
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
