import { $, element } from "./dom.js";
import { call } from "./worker.js";
import { captionOf } from "./map.js";

const isReadOnly = "readOnly" in document.documentElement.dataset;
let cursor = null;

/** The path of the chosen collection, or of a subject in it. */
export function pathOf(subject) {
  const collection = `/collections/${encodeURIComponent($("collection").value)}`;
  return subject === undefined ? collection : `${collection}/subjects/${encodeURIComponent(subject)}`;
}

/** Lists the collections, keeping the choice where it is still there. */
export async function listCollections() {
  const chosen = $("collection").value;
  const { collections } = await call("/collections");
  $("collection").replaceChildren(
    ...collections.map(({ collection }) => new Option(collection, collection, false, collection === chosen)),
  );
}

/** Lists who is enrolled, from the start or on from where the list ends. `remove` is what the buttons do with a subject. */
export async function listSubjects(remove, isFirst = true) {
  const page = await call(`${pathOf()}/subjects?limit=50${isFirst ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
  const items = page.subjects.map((subject) => itemOf(subject, remove));
  if (isFirst) $("subjects").replaceChildren();
  $("subjects").append(...items);
  $("gallery-note").textContent = isFirst && items.length === 0 ? "Nobody is enrolled here." : "";
  cursor = page.cursor;
  $("more").hidden = cursor === null;
}

function itemOf({ subject, images }, remove) {
  const button = element("button", { type: "button", "aria-label": `Delete ${subject}` }, "Delete");
  button.onclick = () => confirm(`Delete ${subject} and its images?`) && remove(subject);
  const count = element("small", {}, `${images} ${images === 1 ? "image" : "images"}`);
  const name = element("div", {}, element("strong", {}, subject), count);
  return isReadOnly ? element("li", {}, name) : element("li", {}, name, button);
}

/** The map of the chosen collection, with a sentence on it below; null where it is not to be had. */
export async function loadMap() {
  try {
    const map = await call(`${pathOf()}/map`);
    $("map-note").textContent = captionOf(map);
    return map.points.length === 0 ? null : map;
  } catch (error) {
    $("map-note").textContent = error.message;
    return null;
  }
}
