import { counted, element, oneIn, percent, size, svg } from "./dom.js";

/** The name of the run and the figures that a person looks for first. */
export function summary(content) {
  const { card, gallery, evaluations, evaluation, thresholds } = content;
  const { training } = card;
  const facts = [training.backbone, `${card.embedding.dimensions} dimensions`, training.loss, content.engine];
  const threshold = thresholds[0];
  return element(
    "header",
    { id: "summary" },
    element(
      "p",
      { className: "eyebrow" },
      element("span", { "aria-hidden": "true" }, "▮▮▮"),
      " Triptych report",
    ),
    element("h1", {}, content.title),
    element("p", { className: "facts" }, facts.filter(Boolean).join(" · ")),
    element(
      "div",
      { className: "headline" },
      element(
        "div",
        { className: "lead-figure" },
        element("p", { className: "label" }, "Recall@1"),
        element("p", { className: "huge" }, percent(evaluation.recallAt1)),
        element(
          "p",
          { className: "note" },
          `of ${counted(evaluation.images, "photo")} have a photo of the same identity as their nearest neighbour. ` +
            `Judged on ${evaluation.identities.toLocaleString("en")} identities${judgedOn(evaluation)}.`,
        ),
        recallTrack(evaluations),
      ),
      element(
        "dl",
        { className: "figures" },
        ...figure(
          "Equal error rate",
          percent(evaluation.eer),
          "where false matches and false non-matches are as frequent",
        ),
        ...figure(
          "Genuine pairs accepted",
          percent(1 - threshold.fnmr),
          `at ${oneIn(threshold.fmr)} false matches; 95% interval ${percent(1 - threshold.fnmrHigh)} to ${
            percent(1 - threshold.fnmrLow)
          }`,
        ),
        ...figure(
          "Model size",
          size(card.quantization.bytes),
          `${card.quantization.scheme} weights, mean cosine ${card.quantization.meanCosine.toFixed(5)} to float32`,
        ),
        ...(gallery
          ? figure(
            "Gallery recall@1",
            percent(gallery.recallAt1),
            `photos against a gallery of ${gallery.identities} identities; recall@5 ${percent(gallery.recallAt5)}`,
          )
          : figure(
            "Area under the ROC curve",
            evaluation.auc.toFixed(3),
            "a genuine pair is nearer than an impostor pair",
          )),
      ),
    ),
  );
}

/** The last clause of the protocol says whether the identities were trained on. */
function judgedOn(evaluation) {
  const clause = evaluation.protocol.split(";").at(-1).trim();
  return clause.startsWith("identities ") ? ` ${clause.slice("identities ".length)}` : "";
}

function figure(label, value, note) {
  return [
    element(
      "div",
      {},
      element("dt", { className: "label" }, label),
      element("dd", { className: "big" }, value),
      element("dd", { className: "note" }, note),
    ),
  ];
}

/** Where training took recall@1 to, on a line from 0 to 100%. */
function recallTrack(evaluations) {
  const names = evaluations.map(({ network, recallAt1 }) => `${network.toLowerCase()} ${percent(recallAt1)}`);
  const [first] = evaluations, last = evaluations.at(-1);
  const x = (recall) => 2 + 96 * recall;
  const track = svg(
    "svg",
    { class: "track", height: 18, width: "100%", role: "img", "aria-label": `Recall@1: ${names.join(", ")}` },
    svg("line", { x1: "2%", x2: "98%", y1: 9, y2: 9, class: "rail" }),
    svg("line", { x1: `${x(first.recallAt1)}%`, x2: `${x(last.recallAt1)}%`, y1: 9, y2: 9, class: "way" }),
    ...evaluations.map(({ network, recallAt1 }) =>
      svg("circle", {
        cx: `${x(recallAt1)}%`,
        cy: 9,
        r: network === "Exported" ? 6 : 4.5,
        class: classOf(network),
      })
    ),
  );
  const legend = evaluations.map(({ network, recallAt1 }) =>
    element("span", { className: classOf(network) }, element("i"), `${network} ${percent(recallAt1)}`)
  );
  return element("div", {}, track, element("p", { className: "legend", "aria-hidden": "true" }, ...legend));
}

function classOf(network) {
  return network.toLowerCase().replaceAll(" ", "-");
}
