import { $, badge, drawAtWidth, oneIn, percent, shape } from "./dom.js";

const EDGE = { left: 52, right: 10, top: 10, bottom: 78 };
/** How far the numbers of matches are from each other, pixels. */
const LANE = 17;

/**
 * The distances that the card has a false-match rate of, ascending: the points of its calibration and its thresholds. The
 * threshold can be set to any of them, so that no figure is guessed between two.
 */
export function stopsOf({ calibration, thresholds }) {
  const measured = calibration.distance.map((distance, i) => ({ distance, fmr: calibration.fmr[i] }));
  const others = measured.filter(({ distance }) => thresholds.every((listed) => listed.distance !== distance));
  return [...others, ...thresholds].sort((a, b) => a.distance - b.distance);
}

/** The false-non-match rate at a stop: as measured, or between which measured rates it lies, for it falls with the distance. */
export function fnmrText(stop, thresholds) {
  if (stop.fnmr !== undefined) {
    return `${percent(stop.fnmr)} (95 % interval ${percent(stop.fnmrLow)} to ${percent(stop.fnmrHigh)})`;
  }
  const nearer = thresholds.findLast(({ distance }) => distance < stop.distance);
  const farther = thresholds.find(({ distance }) => distance > stop.distance);
  if (nearer === undefined) return `${percent(farther.fnmr)} or more`;
  if (farther === undefined) return `${percent(nearer.fnmr)} or less`;
  return `between ${percent(farther.fnmr)} and ${percent(nearer.fnmr)}`;
}

/** Draws the card's rates over the distance, with the threshold and where the matches lie. */
export function createScale(drawing) {
  let shown = null;
  const draw = () => shown && drawing.replaceChildren(...partsOf(drawing, shown));
  drawAtWidth(drawing, draw);
  return ({ card, stop, matches }) => {
    shown = { card, stop, matches };
    draw();
  };
}

function partsOf(drawing, { card, stop, matches }) {
  const { clientWidth: width, clientHeight: height } = drawing;
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const { calibration, thresholds } = card;
  const farthest = Math.ceil(10 * Math.max(...calibration.distance)) / 10;
  const decades = Math.max(1, Math.ceil(-Math.log10(calibration.fmr[0])));
  const bottom = height - EDGE.bottom;
  const x = (distance) => EDGE.left + Math.min(1, distance / farthest) * (width - EDGE.left - EDGE.right);
  const y = (rate) => EDGE.top + Math.min(1, -Math.log10(Math.max(rate, 1e-12)) / decades) * (bottom - EDGE.top);
  const line = (x1, y1, x2, y2, name) => shape("line", { x1, y1, x2, y2, class: name });
  const text = (at, label, anchor = "middle") => shape("text", { ...at, "text-anchor": anchor }, label);
  const rates = Array.from({ length: decades + 1 }, (_, i) => 10 ** -i);
  const step = farthest > 1 ? 0.4 : 0.2;
  const distances = Array.from({ length: Math.floor(farthest / step + 1e-9) }, (_, i) => (i + 1) * step);
  return [
    shape("title", {}, `Error rates over the distance, the threshold at ${stop.distance.toFixed(3)}`),
    shape("rect", { x: x(0), y: EDGE.top, width: x(stop.distance) - x(0), height: bottom - EDGE.top, class: "within" }),
    ...rates.flatMap((rate) => [
      line(x(0), y(rate), width - EDGE.right, y(rate), "grid"),
      text({ x: EDGE.left - 6, y: y(rate) + 4 }, percent(rate), "end"),
    ]),
    text({ x: 0, y: height - 4 }, "distance", "start"),
    ...distances.map((distance) => text({ x: x(distance), y: height - 4 }, distance.toFixed(1))),
    shape("polyline", {
      points: calibration.distance.map((distance, i) => `${x(distance)},${y(calibration.fmr[i])}`).join(" "),
      class: "fmr",
    }),
    ...thresholds.flatMap(({ distance, fnmr, fnmrLow, fnmrHigh }) => [
      line(x(distance), y(fnmrLow), x(distance), y(fnmrHigh), "fnmr"),
      shape("circle", { cx: x(distance), cy: y(fnmr), r: 4, class: "fnmr" }),
    ]),
    line(x(stop.distance), EDGE.top, x(stop.distance), bottom, "threshold"),
    ...lanesOf(matches.map(({ distance }) => x(distance))).map((lane, i) =>
      badge(x(matches[i].distance), bottom + 12 + lane * LANE, i + 1, matches[i].match)
    ).reverse(),
  ];
}

/** In which of three lanes each of ascending places is drawn, so that few hide each other. */
function lanesOf(places) {
  const ends = [-LANE, -LANE, -LANE];
  return places.map((place) => {
    const free = ends.findIndex((end) => place - end >= LANE);
    const lane = free < 0 ? ends.indexOf(Math.min(...ends)) : free;
    ends[lane] = place;
    return lane;
  });
}

/** Says in words what a stop of the threshold means. */
export function describeStop(stop, thresholds) {
  $("distance").textContent = `at most ${stop.distance.toFixed(3)}`;
  $("fmr").textContent = stop.fmr > 0.1 ? percent(stop.fmr) : `${percent(stop.fmr)}, ${oneIn(stop.fmr)}`;
  $("fnmr").textContent = fnmrText(stop, thresholds);
  $("threshold").setAttribute(
    "aria-valuetext",
    `distance ${$("distance").textContent}, false matches ${$("fmr").textContent}, false non-matches ${
      $("fnmr").textContent
    }`,
  );
}
