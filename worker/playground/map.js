import { badge, drawAtWidth, percent, shape } from "./dom.js";

const EDGE = 16;

/** Draws the worker's map of a collection, the photo on it, and its matches by their numbers. */
export function createMap(drawing) {
  let shown = null;
  const draw = () =>
    drawing.replaceChildren(...shown === null || drawing.clientWidth === 0 ? [] : partsOf(drawing, shown));
  drawAtWidth(drawing, draw);
  return (next) => {
    shown = next;
    draw();
  };
}

/** What is on a map, in a sentence. */
export function captionOf({ points, images, explained }) {
  if (points.length === 0) return "Nothing is enrolled here.";
  const all = points.length === images ? `All ${images} images` : `${points.length} of ${images} images`;
  return `${all} by the two principal components of their embeddings, which hold ${
    percent(explained[0] + explained[1])
  } of the variance: what is near here may be far in the others.`;
}

function partsOf(drawing, { map, embedding, matches }) {
  const photo = embedding !== null && map.axes.length > 0 ? projected(embedding, map) : null;
  const places = photo === null ? map.points : [...map.points, photo];
  const { clientWidth: width, clientHeight: height } = drawing;
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [left, right] = rangeOf(places.map(({ x }) => x)), [low, high] = rangeOf(places.map(({ y }) => y));
  // The same scale both ways: distances on the map are comparable.
  const scale = Math.min((width - 2 * EDGE) / (right - left), (height - 2 * EDGE) / (high - low));
  const across = (x) => width / 2 + scale * (x - (left + right) / 2);
  const down = (y) => height / 2 - scale * (y - (low + high) / 2);
  const found = matches.flatMap((match, i) => {
    const point = map.points.find(({ image }) => image === match.image);
    return point === undefined ? [] : [badge(across(point.x), down(point.y), i + 1, match.match)];
  });
  return [
    shape("title", {}, "Map of the gallery"),
    ...map.points.map(({ subject, x, y }) =>
      shape("circle", { cx: across(x), cy: down(y), r: 4, class: "point" }, shape("title", {}, subject))
    ),
    ...found.reverse(),
    ...photo === null ? [] : [cross(across(photo.x), down(photo.y), width)],
  ];
}

/** Where an embedding lies on the map. */
function projected(embedding, { mean, axes }) {
  const [x, y] = axes.map((axis) => axis.reduce((sum, value, i) => sum + value * (embedding[i] - mean[i]), 0));
  return { x, y };
}

function rangeOf(values) {
  const low = Math.min(...values), high = Math.max(...values);
  return high > low ? [low, high] : [low - 1, high + 1];
}

function cross(x, y, width) {
  const isRight = x > width - 90;
  return shape(
    "g",
    { class: "photo", transform: `translate(${x} ${y})` },
    shape("path", { d: "M-7 0H7M0-7V7" }),
    shape("text", { x: isRight ? -12 : 12, y: 4, "text-anchor": isRight ? "end" : "start" }, "this photo"),
  );
}
