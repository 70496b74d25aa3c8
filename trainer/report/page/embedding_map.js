import { handleInput, scaleOf } from "./map_input.js";
import { colour, counted, drawPicture, element, percent, picture, redrawn, section } from "./dom.js";

/** From this zoom on, points are drawn as pictures by themselves. */
const PICTURES_FROM = 2.5;
const REACH = 14;

/** A map of the images: near each other where their embeddings are. */
export function embeddingMap(content) {
  const { map, images, identities, thumbnails } = content;
  const points = map.rows.map((row, i) => ({ index: i, x: map.x[i], y: map.y[i], ...images[row] }));
  const indexOf = new Map(map.rows.map((row, i) => [row, i]));
  const view = { zoom: 1, x: 0.5, y: 0.5 };
  const state = { hovered: null, chosen: new Set(), pictures: "auto", errors: false };
  const canvas = element("canvas", {
    tabIndex: 0,
    role: "img",
    "aria-label": `Map of ${counted(points.length, "image")} of ${identities.length} identities by their embeddings. ` +
      "Arrow keys move it, plus and minus zoom.",
  });
  const tip = element("div", { className: "tip", hidden: true });
  const stage = element("div", { className: "stage" }, canvas, tip);
  const hues = identities.map((_, i) => (i * 137.508) % 360);
  let size = { width: 0, height: 0 };

  const paintNow = () => paint(canvas, size, { points, view, state, hues, thumbnails });
  const draw = () => requestAnimationFrame(paintNow);
  const fit = (width) => {
    const height = Math.round(Math.min(640, Math.max(320, width * 0.72)));
    const scale = devicePixelRatio || 1;
    size = { width, height };
    Object.assign(canvas, { width: width * scale, height: height * scale });
    canvas.style.height = `${height}px`;
    canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
    paintNow();
  };
  redrawn(stage, fit);

  const hover = (point) => {
    if (point === state.hovered) return;
    state.hovered = point;
    tip.hidden = point === null;
    if (point) showTip(tip, point, { size, view, identities, images, thumbnails, indexOf });
    draw();
  };
  const zoom = handleInput(canvas, {
    view,
    size: () => size,
    draw,
    onPoint: (x, y) => hover(nearestPoint(points, view, size, x, y)),
    onLeave: () => hover(null),
    onClick: () => state.hovered && choose(state.hovered.identity),
  });

  const list = identityList(content, hues, (identity) => choose(identity));
  const choose = (identity) => {
    if (!state.chosen.delete(identity)) state.chosen.add(identity);
    list.mark(state.chosen);
    draw();
  };
  const errors = points.filter(({ found }) => found === false).length;
  const sampled = points.length < images.length ? ` A random sample of ${counted(points.length, "image")}.` : "";
  return section(
    "map",
    "Map",
    `Every test photo, laid out by UMAP so that near embeddings lie near each other.${sampled} Click it and scroll to zoom, or pinch; drag to move. An identity's name shows where its photos are.`,
    element(
      "div",
      { className: "control" },
      toggle("Pictures", (on) => {
        state.pictures = on ? "always" : "auto";
        draw();
      }),
      toggle(`Ring the ${counted(errors, "photo")} whose nearest neighbour is wrong`, (on) => {
        state.errors = on;
        draw();
      }),
      zoomButton("Zoom in", "+", () => zoom(1.6)),
      zoomButton("Zoom out", "−", () => zoom(1 / 1.6)),
      element("button", {
        type: "button",
        onclick() {
          Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 });
          state.chosen.clear();
          list.mark(state.chosen);
          draw();
        },
      }, "Show all"),
    ),
    element("div", { className: "atlas" }, stage, list.box),
  );
}

function zoomButton(label, sign, onclick) {
  return element("button", { type: "button", "aria-label": label, onclick }, sign);
}

function toggle(label, onChange) {
  const box = element("input", { type: "checkbox", onchange: () => onChange(box.checked) });
  return element("label", { className: "toggle" }, box, label);
}

/** Where a point lies on the canvas. */
function place({ x, y }, view, { width, height }) {
  const scale = scaleOf(view, { width, height });
  return { x: width / 2 + (x - view.x) * scale, y: height / 2 + (y - view.y) * scale };
}

function nearestPoint(points, view, size, x, y) {
  let nearest = null, least = REACH ** 2;
  for (const point of points) {
    const at = place(point, view, size);
    const squared = (at.x - x) ** 2 + (at.y - y) ** 2;
    if (squared < least) [nearest, least] = [point, squared];
  }
  return nearest;
}

function paint(canvas, size, { points, view, state, hues, thumbnails }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, size.width, size.height);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches &&
    document.documentElement.style.colorScheme !== "light";
  const asPictures = state.pictures === "always" || view.zoom >= PICTURES_FROM;
  const side = Math.min(thumbnails.width, 18 + 10 * Math.sqrt(view.zoom));
  const height = side * thumbnails.height / thumbnails.width;
  const paintOne = (point) => {
    const { x, y } = place(point, view, size);
    if (x < -side || y < -side || x > size.width + side || y > size.height + side) return;
    const fill = `oklch(${dark ? 0.75 : 0.58} 0.15 ${hues[point.identity]})`;
    const lit = state.chosen.size === 0 || state.chosen.has(point.identity);
    context.globalAlpha = lit ? 1 : 0.13;
    const half = asPictures ? side / 2 : point === state.hovered ? 7 : 4.5;
    if (asPictures) {
      context.fillStyle = fill;
      context.fillRect(x - half - 2, y - height / 2 - 2, side + 4, height + 4);
      drawPicture(context, thumbnails, point.index, x - half, y - height / 2, side, height);
    } else {
      context.fillStyle = fill;
      context.beginPath();
      context.arc(x, y, half, 0, 2 * Math.PI);
      context.fill();
    }
    if ((state.errors && point.found === false) || point === state.hovered) {
      context.strokeStyle = colours[point === state.hovered ? "ink" : "bad"];
      context.lineWidth = asPictures ? 3 : 2;
      context.beginPath();
      if (asPictures) context.rect(x - half - 3, y - height / 2 - 3, side + 6, height + 6);
      else context.arc(x, y, half + 3, 0, 2 * Math.PI);
      context.stroke();
    }
  };
  const colours = { ink: colour("ink"), bad: colour("bad") };
  const onTop = (point) => point === state.hovered || state.chosen.has(point.identity);
  points.filter((point) => !onTop(point)).forEach(paintOne);
  points.filter(onTop).forEach(paintOne);
  if (state.hovered) paintOne(state.hovered);
  context.globalAlpha = 1;
}

function showTip(tip, point, { size, view, identities, images, thumbnails, indexOf }) {
  const nearest = point.nearest === null ? null : images[point.nearest];
  const shown = nearest && indexOf.get(point.nearest);
  const name = (image) => identities[image.identity].name;
  tip.replaceChildren(
    element(
      "div",
      { className: "pair" },
      picture(thumbnails, point.index, name(point)),
      shown === undefined || shown === null ? null : picture(thumbnails, shown, name(nearest)),
    ),
    element("strong", {}, name(point)),
    element("small", {}, point.name),
    nearest
      ? element(
        "small",
        { className: point.found ? "good" : "bad" },
        point.found
          ? "Nearest neighbour is right"
          : point.found === false
          ? `Nearest is ${name(nearest)}`
          : "Only photo of it",
      )
      : null,
  );
  const { x, y } = place(point, view, size);
  tip.style.left = `${Math.min(Math.max(0, x + 14), Math.max(0, size.width - 190))}px`;
  tip.style.top = `${y > size.height / 2 ? y - tip.offsetHeight - 12 : y + 14}px`;
}

/** The legend: every identity with its colour, to search and to choose. */
function identityList({ identities, identityFigures, map, thumbnails }, hues, onChoose) {
  const indexOf = new Map(map.rows.map((row, i) => [row, i]));
  const figures = new Map(identityFigures.map((figure) => [figure.identity, figure]));
  const buttons = identities.map(({ name, row }, i) => {
    const dot = element("i", {});
    dot.style.background = `light-dark(oklch(0.58 0.15 ${hues[i]}), oklch(0.75 0.15 ${hues[i]}))`;
    const index = indexOf.get(row), { images, recallAt1 } = figures.get(i);
    return element(
      "button",
      { type: "button", "aria-pressed": "false", onclick: () => onChoose(i), title: name },
      dot,
      index === undefined ? null : picture(thumbnails, index, ""),
      element(
        "span",
        {},
        name,
        element("small", {}, `${counted(images, "photo")}${recallAt1 === null ? "" : `, ${percent(recallAt1)}`}`),
      ),
    );
  });
  const search = element("input", {
    type: "search",
    placeholder: `Search ${identities.length} identities`,
    "aria-label": "Search identities",
    oninput() {
      const wanted = search.value.trim().toLowerCase();
      buttons.forEach((button, i) => button.hidden = !identities[i].name.toLowerCase().includes(wanted));
    },
  });
  return {
    box: element("div", { className: "identities" }, search, element("div", { className: "scroll" }, ...buttons)),
    mark: (chosen) => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(chosen.has(i)))),
  };
}
