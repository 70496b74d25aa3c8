import { counted, element, percent, picture, section, svg, table } from "./dom.js";

const SHOWN_AT_FIRST = 25;

/** How well each identity is found, worst first. */
export function identities(content) {
  const { identityFigures, map, thumbnails } = content;
  const indexOf = new Map(map.rows.map((row, i) => [row, i]));
  const named = (identity) => {
    const { name, row } = content.identities[identity], index = indexOf.get(row);
    return element(
      "span",
      { className: "named" },
      index === undefined ? null : picture(thumbnails, index, ""),
      element("span", {}, name),
    );
  };
  const rows = identityFigures.map(({ identity, images, recallAt1, takenFor }) => [
    named(identity),
    String(images),
    recallAt1 === null ? "–" : recallBar(recallAt1),
    takenFor
      ? element("span", {}, named(takenFor.identity), element("small", {}, counted(takenFor.times, "time")))
      : "–",
  ]);
  const perfect = identityFigures.filter(({ recallAt1 }) => recallAt1 === 1).length;
  const box = table("Recall@1 of each identity, worst first", [
    "Identity",
    "#Photos",
    "#Recall@1",
    "Most often taken for",
  ], rows);
  const later = [...box.querySelectorAll("tbody tr")].slice(SHOWN_AT_FIRST);
  later.forEach((row) => row.classList.add("later"));
  const more = later.length > 0
    ? element("button", {
      type: "button",
      className: "more",
      onclick() {
        later.forEach((row) => row.classList.remove("later"));
        more.remove();
      },
    }, `Show ${later.length} more`)
    : null;
  return section(
    "identities",
    "Identities",
    `${perfect} of ${identityFigures.length} are always found. Look at the first rows: photos that are mislabelled, or identities that look alike.`,
    box,
    more,
  );
}

function recallBar(recall) {
  return element(
    "span",
    { className: "bar" },
    svg(
      "svg",
      { width: 72, height: 6, "aria-hidden": "true" },
      svg("rect", { width: 72, height: 6, rx: 3, class: "rail" }),
      svg("rect", { width: 72 * recall, height: 6, rx: 3, class: "filled" }),
    ),
    percent(recall),
  );
}
