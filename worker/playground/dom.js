/** The element of the page that has an id. */
export const $ = (id) => document.getElementById(id);

/** An element with attributes and children; texts become text, never markup. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for a part of a drawing. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The number of a match in the list, which stands for it in the drawings too. */
export function badge(x, y, rank, isMatch) {
  return shape(
    "g",
    { class: isMatch ? "badge match" : "badge", transform: `translate(${x} ${y})` },
    shape("circle", { r: 8 }),
    shape("text", { y: 4, "text-anchor": "middle" }, String(rank)),
  );
}

/** Draws anew whenever a drawing gets another width. */
export function drawAtWidth(drawing, draw) {
  new ResizeObserver(draw).observe(drawing);
}

/** A share as one of so many. */
export function oneIn(share) {
  return `1 in ${Math.round(1 / share).toLocaleString("en")}`;
}

/** A share as a percentage of two digits. */
export function percent(share) {
  if (share > 0 && share < 0.0001) return "below 0.01\u00a0%";
  if (share > 0.9995 && share < 1) return "above 99.9\u00a0%";
  return `${Number((100 * share).toPrecision(share > 0.99 ? 3 : 2))}\u00a0%`;
}
