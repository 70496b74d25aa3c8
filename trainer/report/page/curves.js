import { colour, element, folded, percent, redrawn, section, short, table } from "./dom.js";

const CHARTS = [
  { name: "loss", title: "Loss" },
  { name: "valRecallAt1", title: "Validation recall@1", share: true, epochs: true },
  { name: "activeTripletShare", title: "Active triplets", share: true },
  { name: "gradientNorm", title: "Gradient norm" },
  { name: "meanPairwiseDistance", title: "Mean pairwise distance" },
  { name: "embeddingNorm", title: "Embedding norm" },
  { name: "learningRate", title: "Learning rate", smooth: false },
  { name: "imagesPerSecond", title: "Images per second" },
  { name: "waitingShare", title: "Waiting for data", share: true },
];

/** So few points need no smoothing. */
const FEW_STEPS = 100;

/** How training went, step by step; null where nothing is known of it. */
export function curves(content) {
  const series = CHARTS.map((chart) => ({ ...chart, ...pointsOf(chart, content) })).filter(({ y }) =>
    y.some((value) => value !== null)
  );
  if (series.length === 0) return null;
  const value = content.curves.step.length < FEW_STEPS ? 0 : 0.8;
  const smoothing = element("input", { type: "range", min: 0, max: 0.99, step: 0.01, value, id: "smoothing" });
  const said = element("output", { htmlFor: "smoothing" }, value.toFixed(2));
  const charts = series.map((one) => chart(one, () => Number(smoothing.value)));
  smoothing.oninput = () => {
    said.textContent = Number(smoothing.value).toFixed(2);
    charts.forEach(({ update }) => update());
  };
  return section(
    "training",
    "Training",
    "Thin lines are the steps themselves, bold ones their moving average. Drag across a chart to look closer, double-click to see all.",
    element("p", { className: "control" }, element("label", { htmlFor: "smoothing" }, "Smoothing"), smoothing, said),
    element("div", { className: "charts" }, ...charts.map(({ box }) => box)),
    content.epochs.length > 0 ? folded("Epochs as a table", epochTable(content.epochs)) : null,
  );
}

function pointsOf({ name, epochs }, content) {
  if (epochs) {
    const judged = content.epochs.filter((epoch) => typeof epoch[name] === "number");
    return { x: judged.map(({ step }) => step), y: judged.map((epoch) => epoch[name]) };
  }
  if (content.curves.step.length > 0) return { x: content.curves.step, y: content.curves[name] };
  return { x: content.epochs.map(({ step }) => step), y: content.epochs.map((epoch) => epoch[name] ?? null) };
}

function chart({ title, x, y, share, epochs, smooth = true }, smoothing) {
  const say = (value) => share ? percent(value) : short(value);
  const reading = element("output", {});
  const plotBox = element("div", { className: "plot", role: "img", "aria-label": describe(title, y, say) });
  const box = element("figure", { className: "chart" }, element("figcaption", {}, title, reading), plotBox);
  const averaged = () => smooth && !epochs ? movingAverage(y, smoothing()) : y;
  let plot;
  const read = () => {
    const at = plot?.cursor.idx ?? null;
    const i = at === null ? y.findLastIndex((value) => value !== null) : at;
    const value = plot?.data[2][i] ?? y[i];
    reading.textContent = value === null ? "" : `${say(value)} · step ${x[i].toLocaleString("en")}`;
  };
  redrawn(plotBox, (width) => {
    plot?.destroy();
    const options = chartOptions({ width, say, share, epochs, onCursor: read, bold: smooth && !epochs });
    plot = new uPlot(options, [x, y, averaged()], plotBox);
    read();
  });
  return {
    box,
    update() {
      plot?.setData([x, y, averaged()], false);
      plot?.redraw();
      read();
    },
  };
}

function chartOptions({ width, say, share, epochs, onCursor, bold }) {
  const axis = {
    stroke: colour("soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
  };
  const steps = (_, ticks) => ticks.map((tick) => Number.isInteger(tick) ? tick.toLocaleString("en") : "");
  const values = (_, ticks) => ticks.map((tick) => share ? `${Number((100 * tick).toFixed(1))}%` : short(tick));
  const stroke = colour("accent");
  return {
    width,
    height: 190,
    legend: { show: false },
    padding: [10, 12, 0, 0],
    cursor: { sync: { key: "steps", scales: ["x", null] }, y: false, points: { size: 7 } },
    hooks: { setCursor: [onCursor] },
    scales: { x: { time: false }, ...(share && { y: { range: shareRange } }) },
    axes: [{ ...axis, size: 30, grid: { show: false }, values: steps, space: 64 }, { ...axis, size: 52, values }],
    series: [
      {},
      bold ? { stroke, width: 1, alpha: 0.28, points: { show: false } } : { show: false },
      { stroke, width: 2, spanGaps: true, points: { show: Boolean(epochs), size: 4 }, value: (_, v) => say(v) },
    ],
  };
}

/** From 0 or a round share below the values, to one above them. */
function shareRange(_, low, high) {
  if (low === null) return [0, 1];
  const step = high - low > 0.3 ? 0.2 : high - low > 0.1 ? 0.1 : 0.02;
  const from = Math.max(0, Math.floor(low / step) * step), to = Math.min(1, Math.ceil(high / step) * step);
  return to > from ? [from, to] : [Math.max(0, from - step), Math.min(1, to + step)];
}

/** An exponential moving average without the bias toward its start (Kingma and Ba 2015, section 3). */
function movingAverage(values, weight) {
  let sum = 0, total = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

function describe(title, y, say) {
  const values = y.filter((value) => value !== null);
  return `${title}: from ${say(values[0])} to ${say(values.at(-1))}, between ${say(Math.min(...values))} and ${
    say(Math.max(...values))
  }`;
}

function epochTable(epochs) {
  const judged = epochs.some(({ valRecallAt1 }) => valRecallAt1 !== undefined);
  const headings = ["#Epoch", "#Step", "#Loss", "#Active triplets", "#Mean distance", "#Learning rate"];
  const rows = epochs.map((epoch) => [
    String(epoch.epoch),
    String(epoch.step),
    short(epoch.loss),
    percent(epoch.activeTripletShare),
    short(epoch.meanPairwiseDistance),
    short(epoch.learningRate),
    ...(judged ? [epoch.valRecallAt1 === undefined ? "–" : percent(epoch.valRecallAt1)] : []),
  ]);
  return table("Means over the steps of each epoch", [...headings, ...(judged ? ["#Validation recall@1"] : [])], rows);
}
