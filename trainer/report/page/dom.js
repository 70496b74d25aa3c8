/**
 * An HTML element. Texts of others enter the page as text alone.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} attributes properties where the element has them (`className`, `onclick`), else attributes
 * @param {...(Node | string | null)} children null is left out
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** An SVG element, with attributes as in the markup. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A section of the page with its heading, and a sentence that says how to read it. */
export function section(id, title, lead, ...children) {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title),
    lead ? element("p", { className: "lead" }, lead) : null,
    ...children,
  );
}

/**
 * A table.
 *
 * @param {string} caption
 * @param {string[]} headings those that begin with `#` are of columns of numbers
 * @param {(Node | string)[][]} rows the first cell of each is its heading
 */
export function table(caption, headings, rows) {
  const numeric = headings.map((heading) => heading.startsWith("#"));
  const className = (i) => numeric[i] ? "number" : "";
  const head = headings.map((heading, i) =>
    element("th", { scope: "col", className: className(i) }, heading.replace(/^#/, ""))
  );
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((cell, i) =>
        i === 0
          ? element("th", { scope: "row", className: className(i) }, cell)
          : element("td", { className: className(i) }, cell)
      ),
    )
  );
  return element(
    "div",
    { className: "table" },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}

/** Something that is shown on demand, such as the numbers behind a figure. */
export function folded(summary, ...children) {
  return element("details", {}, element("summary", {}, summary), ...children);
}

/** A picture of a sprite, as an image with a text of its own; without one it is hidden from screen readers. */
export function picture(sprite, index, label) {
  const { width, height } = sprite;
  const canvas = element("canvas", {
    className: "picture",
    width,
    height,
    ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }),
  });
  drawPicture(canvas.getContext("2d"), sprite, index, 0, 0, width, height);
  return canvas;
}

/** Draws a picture of a sprite whose image is loaded. */
export function drawPicture(context, sprite, index, x, y, width, height) {
  const left = (index % sprite.columns) * sprite.width, top = Math.floor(index / sprite.columns) * sprite.height;
  context.drawImage(sprite.image, left, top, sprite.width, sprite.height, x, y, width, height);
}

/** A share as per cent, with a digit more where it is small. */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  const value = 100 * share;
  if (value !== 0 && value < 0.1) return `${value.toPrecision(1)}\u2009%`;
  return `${value.toFixed(value !== 0 && value < 99.95 ? 1 : 0)}\u2009%`;
}

/** A number with about four digits that count. */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2);
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

/** `1,234 photos`, `1 photo`. */
export function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** `187 kB`, `4.92 MB`, `98.1 MB`. */
export function size(bytes) {
  if (bytes < 1e6) return `${Math.round(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
}

/** A false-match rate in words: `1 in 1,000`. */
export function oneIn(rate) {
  return `1 in ${Math.round(1 / rate).toLocaleString("en")}`;
}

/** What a custom property of the style sheet is as a colour now, for canvases. */
export function colour(name) {
  const probe = element("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const redraws = [];

/** Draws now, and again when the box has another width or the page other colours. */
export function redrawn(box, draw) {
  let width = 0;
  const redraw = () => {
    if (box.clientWidth > 0) draw(width = box.clientWidth);
  };
  redraws.push(redraw);
  new ResizeObserver(() => box.clientWidth === width || redraw()).observe(box);
}

/** Draws everything again, in the colours that hold now. */
export function redrawAll() {
  redraws.forEach((redraw) => redraw());
}
