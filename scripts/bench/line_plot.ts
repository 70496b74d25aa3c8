/** Curves over a common axis. */
export interface Panel {
  title: string;
  yLabel: string;
  /** Whether the vertical axis is logarithmic; values are then above 0. */
  logarithmic: boolean;
  /** One for each name of the legend, in its order. */
  curves: [x: number, y: number][][];
}

/** What a figure of panels beside each other shows. */
export interface LinePlot {
  title: string;
  xLabel: string;
  /** Names of the curves; every panel has them all. */
  names: string[];
  panels: Panel[];
}

/** Okabe and Ito (2008), grey for black and without yellow: told apart by the colour-blind, and on light as on dark. */
const COLOURS = ["#d55e00", "#e69f00", "#cc79a7", "#888888", "#009e73", "#56b4e9", "#0072b2"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "5 2", "6 3", ""];
const PANEL = { width: 330, height: 250, left: 62, gap: 34, top: 58 };
const LEGEND_WIDTH = 190;
const STYLE = `text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:15px;font-weight:600}
.grid{stroke:#8884}.axis{stroke:#888}polyline{fill:none;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#ddd}}`;

/** A figure as SVG, without a background, for light and dark pages. */
export function linePlot({ title, xLabel, names, panels }: LinePlot): string {
  const step = PANEL.left + PANEL.width + PANEL.gap;
  const width = panels.length * step + LEGEND_WIDTH, height = PANEL.top + PANEL.height + 48;
  const legend = names.map((name, i) =>
    `<g transform="translate(${panels.length * step} ${PANEL.top + 16 + 22 * i})">` +
    `<polyline points="0,0 26,0" ${stroke(i)}/><text x="34" y="4">${escape(name)}</text></g>`
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escape(title)}</title><style>${STYLE}</style>`,
    `<text class="title" x="${PANEL.left}" y="22">${escape(title)}</text>`,
    ...panels.map((panel, i) =>
      `<g transform="translate(${i * step + PANEL.left} ${PANEL.top})">\n${drawPanel(panel, xLabel)}\n</g>`
    ),
    ...legend,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, yLabel, logarithmic, curves }: Panel, xLabel: string): string {
  const points = curves.flat();
  const x = axisOf(points.map(([x]) => x), false, [0, PANEL.width]);
  const y = axisOf(points.map(([, y]) => y), logarithmic, [PANEL.height, 0]);
  const middle = PANEL.height / 2;
  return [
    `<text x="${PANEL.width / 2}" y="-12" text-anchor="middle">${escape(title)}</text>`,
    ...y.ticks.map((value) =>
      `<line class="grid" x1="0" x2="${PANEL.width}" y1="${y.at(value)}" y2="${y.at(value)}"/>` +
      `<text x="-8" y="${y.at(value)}" dy="4" text-anchor="end">${format(value)}</text>`
    ),
    ...x.ticks.map((value) =>
      `<text x="${x.at(value)}" y="${PANEL.height + 18}" text-anchor="middle">${format(value)}</text>`
    ),
    `<path class="axis" fill="none" d="M0 0V${PANEL.height}H${PANEL.width}"/>`,
    `<text x="${PANEL.width / 2}" y="${PANEL.height + 38}" text-anchor="middle">${escape(xLabel)}</text>`,
    `<text transform="translate(-48 ${middle}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`,
    ...curves.map((curve, i) =>
      `<polyline points="${curve.map(([px, py]) => `${x.at(px)},${y.at(py)}`).join(" ")}" ${stroke(i)}/>`
    ),
  ].join("\n");
}

interface Axis {
  ticks: number[];
  /** Where a value lies, in units of the picture. */
  at(value: number): number;
}

function axisOf(values: number[], logarithmic: boolean, [from, to]: [number, number]): Axis {
  const scale = logarithmic ? Math.log10 : (value: number) => value;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const ticks = logarithmic ? powersOfTen(least, most) : roundNumbers(least, most);
  const [low, high] = [scale(Math.min(least, ticks[0])), scale(Math.max(most, ticks.at(-1)!))];
  const span = high - low || 1;
  return { ticks, at: (value) => Number((from + (to - from) * (scale(value) - low) / span).toFixed(1)) };
}

function powersOfTen(least: number, most: number): number[] {
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
}

/** Four to eight multiples of 1, 2 or 5 times a power of ten. */
function roundNumbers(least: number, most: number): number[] {
  const rough = (most - least || 1) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough)!;
  const low = Math.floor(least / step), high = Math.ceil(most / step);
  return Array.from({ length: high - low + 1 }, (_, i) => (low + i) * step);
}

function format(value: number): string {
  return Math.abs(value) >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));
}

function stroke(i: number): string {
  const dash = DASHES[i % DASHES.length];
  return `stroke="${COLOURS[i % COLOURS.length]}"${dash && ` stroke-dasharray="${dash}"`}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
