import { counted, element, folded, oneIn, percent, redrawn, section, short, svg, table } from "./dom.js";

const HEIGHT = 320;
const MARGIN = { top: 58, right: 14, bottom: 42, left: 50 };

/** Distances of genuine and impostor pairs, and what a threshold between them does. */
export function distances(content) {
  const { histogram, det, card } = content;
  const furthest = histogram.width * histogram.genuine.length;
  const slider = element("input", {
    type: "range",
    id: "threshold",
    min: 0,
    max: furthest,
    step: furthest / 500,
    value: card.thresholds.at(-1).distance,
  });
  const reading = element("output", { htmlFor: "threshold", className: "reading" });
  const histogramBox = element("div", { className: "plot" });
  const detBox = element("div", { className: "plot" });
  const charts = [];
  const update = () => {
    const threshold = Number(slider.value), rates = ratesAt(det, threshold);
    reading.replaceChildren(
      `A threshold of ${threshold.toFixed(3)} accepts `,
      element("b", { className: "genuine" }, `${percent(1 - rates.fnmr)} of genuine`),
      " and ",
      element("b", { className: "impostor" }, `${percent(rates.fmr)} of impostor`),
      " pairs.",
    );
    charts.forEach((move) => move(threshold, rates));
  };
  const choose = (distance) => {
    slider.value = distance;
    update();
  };
  slider.oninput = update;
  redrawn(histogramBox, (width) => {
    charts[0] = drawHistogram(histogramBox, width, content, furthest, choose);
    update();
  });
  redrawn(detBox, (width) => {
    charts[1] = drawDet(detBox, width, content);
    update();
  });
  return section(
    "distances",
    "Distances",
    `${counted(content.genuine.pairs, "pair")} of photos of one identity (genuine) and ${
      content.impostor.pairs.toLocaleString("en")
    } of two (impostor). Good embeddings keep them apart; the dashed lines are the card's thresholds.`,
    element(
      "p",
      { className: "control" },
      element("label", { htmlFor: "threshold" }, "Try a threshold"),
      slider,
      reading,
    ),
    element(
      "div",
      { className: "charts two" },
      element(
        "figure",
        { className: "chart" },
        element(
          "figcaption",
          {},
          "Distances of pairs",
          element(
            "span",
            { className: "legend" },
            element("span", { className: "genuine" }, element("i"), "genuine"),
            element("span", { className: "impostor" }, element("i"), "impostor"),
          ),
        ),
        histogramBox,
      ),
      element("figure", { className: "chart" }, element("figcaption", {}, "Detection error tradeoff"), detBox),
    ),
    folded("Distances and rates as tables", summaryTable(content), detTable(det)),
  );
}

/** Error rates at a threshold: those of the last point of the curve that it reaches. */
function ratesAt({ distance, fmr, fnmr }, threshold) {
  const i = distance.findLastIndex((value) => value <= threshold);
  return i < 0 ? { fmr: 0, fnmr: 1 } : { fmr: fmr[i], fnmr: fnmr[i] };
}

function drawHistogram(box, width, { histogram, card, genuine, impostor }, furthest, choose) {
  const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: HEIGHT - MARGIN.bottom };
  const shares = (counts, total) => counts.map((count) => count / total);
  const g = shares(histogram.genuine, genuine.pairs), i = shares(histogram.impostor, impostor.pairs);
  const highest = Math.max(...g, ...i);
  const x = (distance) => plot.left + (plot.right - plot.left) * distance / furthest;
  const y = (share) => plot.bottom - (plot.bottom - plot.top) * share / highest;
  const outline = (values) => {
    const steps = values.map((share, bin) => `H${x(bin * histogram.width)}V${y(share)}`).join("");
    return `M${x(0)},${y(0)}${steps}H${x(furthest)}V${y(0)}Z`;
  };
  const cursor = svg("line", { y1: plot.top - 6, y2: plot.bottom, class: "cursor" });
  const chart = svg(
    "svg",
    {
      width,
      height: HEIGHT,
      role: "img",
      "aria-label": `Histogram of distances: genuine pairs have a median of ${
        genuine.median.toFixed(2)
      }, impostor pairs of ${impostor.median.toFixed(2)}`,
    },
    ...niceTicks(highest, 4).map((tick) =>
      svg(
        "g",
        {},
        svg("line", { x1: plot.left, x2: plot.right, y1: y(tick), y2: y(tick), class: "grid" }),
        svg("text", { x: plot.left - 8, y: y(tick) + 4, "text-anchor": "end" }, `${Number((100 * tick).toFixed(1))}%`),
      )
    ),
    ...niceTicks(furthest, width / 90).map((tick) =>
      svg("text", { x: x(tick), y: plot.bottom + 18, "text-anchor": "middle" }, String(tick))
    ),
    svg("path", { d: outline(i), class: "impostor area" }),
    svg("path", { d: outline(g), class: "genuine area" }),
    ...thresholdMarks(card.thresholds, x, plot),
    cursor,
    svg("text", { x: plot.right, y: HEIGHT - 6, "text-anchor": "end" }, "Euclidean distance →"),
    svg("text", { x: plot.left, y: 12 }, "↑ Share of pairs"),
  );
  chart.onpointermove = (event) => {
    const share = (event.clientX - chart.getBoundingClientRect().left - plot.left) / (plot.right - plot.left);
    if (share >= 0 && share <= 1) choose(share * furthest);
  };
  box.replaceChildren(chart);
  return (threshold) => {
    cursor.setAttribute("x1", x(threshold));
    cursor.setAttribute("x2", x(threshold));
  };
}

/** Dashed lines with their rates above them, on another line where they would touch. */
function thresholdMarks(thresholds, x, plot) {
  const lineEnds = [-Infinity, -Infinity, -Infinity];
  return thresholds.map(({ fmr, distance }) => {
    const at = x(distance), label = oneIn(fmr), half = label.length * 3.4;
    const centre = Math.min(Math.max(at, plot.left + half), plot.right - half);
    const line = Math.max(0, lineEnds.findIndex((end) => end < centre - half));
    lineEnds[line] = centre + half + 4;
    const y = plot.top - 8 - 14 * line;
    return svg(
      "g",
      { class: "threshold" },
      svg("title", {}, `${label} false matches at a distance of ${distance.toFixed(3)}`),
      svg("line", { x1: at, x2: at, y1: y + 4, y2: plot.bottom }),
      svg("text", { x: centre, y, "text-anchor": "middle" }, label),
    );
  });
}

const DET_TICKS = [0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99];

function drawDet(box, width, { det, evaluation, thresholds }) {
  const plot = { left: MARGIN.left, right: width - MARGIN.right, top: 28, bottom: HEIGHT - MARGIN.bottom };
  const points = det.fmr.map((fmr, i) => ({ fmr, fnmr: det.fnmr[i] })).filter(({ fmr, fnmr }) =>
    fmr > 0 && fmr < 1 && fnmr > 0 && fnmr < 1
  );
  const within = (rates) => ({ low: probit(Math.min(0.4, ...rates)), high: probit(Math.max(0.6, ...rates)) });
  const across = within(points.map(({ fmr }) => fmr)), down = within(points.map(({ fnmr }) => fnmr));
  const clamp = (value, { low, high }) => Math.min(high, Math.max(low, value));
  const x = (rate) =>
    plot.left + (plot.right - plot.left) * (clamp(probit(rate), across) - across.low) / (across.high - across.low);
  const y = (rate) =>
    plot.bottom - (plot.bottom - plot.top) * (clamp(probit(rate), down) - down.low) / (down.high - down.low);
  const inside = ({ low, high }) => DET_TICKS.filter((rate) => probit(rate) >= low && probit(rate) <= high);
  const line = (some) => some.map(({ fmr, fnmr }, i) => `${i ? "L" : "M"}${x(fmr)},${y(fnmr)}`).join("");
  const supported = points.findIndex(({ fmr }) => fmr >= det.supportedFmr);
  const cursor = svg("circle", { r: 6, class: "cursor" });
  const name = (rate) => `${Number((100 * rate).toFixed(2))}%`;
  const { eer } = evaluation;
  box.replaceChildren(svg(
    "svg",
    {
      width,
      height: HEIGHT,
      role: "img",
      "aria-label": `Detection error tradeoff on normal-deviate axes; equal error rate ${percent(eer)}`,
    },
    ...spaced(inside(across), x, 44).map((rate) =>
      svg(
        "g",
        {},
        svg("line", { x1: x(rate), x2: x(rate), y1: plot.top, y2: plot.bottom, class: "grid" }),
        svg("text", { x: x(rate), y: plot.bottom + 18, "text-anchor": "middle" }, name(rate)),
      )
    ),
    ...spaced(inside(down), y, 16).map((rate) =>
      svg(
        "g",
        {},
        svg("line", { x1: plot.left, x2: plot.right, y1: y(rate), y2: y(rate), class: "grid" }),
        svg("text", { x: plot.left - 8, y: y(rate) + 4, "text-anchor": "end" }, name(rate)),
      )
    ),
    supported > 0
      ? svg(
        "path",
        { d: line(points.slice(0, supported + 1)), class: "det unsure" },
        svg("title", {}, "Too few pairs to be sure"),
      )
      : null,
    svg("path", { d: line(points.slice(Math.max(0, supported))), class: "det" }),
    ...thresholds.map(({ fmr, fnmr, fnmrLow, fnmrHigh }) =>
      svg(
        "g",
        { class: "threshold" },
        svg("title", {}, `${oneIn(fmr)} false matches: ${percent(fnmr)} of genuine pairs rejected`),
        svg("line", { x1: x(fmr), x2: x(fmr), y1: y(fnmrLow), y2: y(fnmrHigh), class: "interval" }),
        svg("circle", { cx: x(fmr), cy: y(fnmr), r: 4 }),
      )
    ),
    svg("circle", { cx: x(eer), cy: y(eer), r: 4, class: "eer" }),
    svg("text", { x: x(eer) + 9, y: y(eer) - 6, class: "strong" }, `EER ${percent(eer)}`),
    cursor,
    svg("text", { x: plot.right, y: HEIGHT - 6, "text-anchor": "end" }, "False matches →"),
    svg("text", { x: plot.left, y: 16 }, "↑ False non-matches"),
  ));
  return (_, { fmr, fnmr }) => {
    cursor.setAttribute("cx", x(Math.min(1 - 1e-9, Math.max(1e-9, fmr))));
    cursor.setAttribute("cy", y(Math.min(1 - 1e-9, Math.max(1e-9, fnmr))));
  };
}

/** Ticks that lie at least so many pixels from the one before, counted from the greatest. */
function spaced(ticks, position, least) {
  return ticks.reduceRight(
    (kept, tick) => kept.length && Math.abs(position(kept[0]) - position(tick)) < least ? kept : [tick, ...kept],
    [],
  );
}

/** The normal deviate of a probability, by bisection of {@linkcode normalShare}. */
function probit(share) {
  let low = -6, high = 6;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** The normal distribution (Abramowitz and Stegun 1964, 26.2.17). */
function normalShare(deviate) {
  const t = 1 / (1 + 0.2316419 * Math.abs(deviate));
  const polynomial = t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = Math.exp(-deviate * deviate / 2) / Math.sqrt(2 * Math.PI) * polynomial;
  return deviate < 0 ? tail : 1 - tail;
}

/** Round numbers from 0 up to a highest, about so many. */
function niceTicks(highest, count) {
  const rough = highest / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

function summaryTable({ genuine, impostor }) {
  const row = (name, s) => [
    name,
    s.pairs.toLocaleString("en"),
    ...[s.min, s.p05, s.median, s.mean, s.p95, s.max].map((value) => value.toFixed(3)),
  ];
  return table("Distances", ["Pairs", "#Count", "#Least", "#5%", "#Median", "#Mean", "#95%", "#Greatest"], [
    row("Genuine", genuine),
    row("Impostor", impostor),
  ]);
}

function detTable(det) {
  const rates = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001].filter((rate) => rate >= det.supportedFmr);
  const rows = rates.map((rate) => {
    const i = det.fmr.findLastIndex((fmr) => fmr <= rate);
    return [percent(rate), i < 0 ? "–" : short(det.distance[i]), i < 0 ? "–" : percent(det.fnmr[i])];
  });
  return table("Error rates", ["#False matches, at most", "#Distance", "#False non-matches"], rows);
}
