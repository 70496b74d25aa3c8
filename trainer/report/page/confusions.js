import { counted, element, picture, section, svg } from "./dom.js";

const SHOWN_AT_FIRST = 12;

/** The queries that were taken for another identity, side by side with what they were taken for. */
export function confusions(content) {
  const { images } = content;
  const wrong = images.filter(({ found }) => found === false).length;
  const queries = images.filter(({ found }) => found !== null).length;
  const cards = content.confusions.map((confusion) => card(confusion, content));
  const lead = wrong === 0
    ? `No photo's nearest neighbour is of another identity. These came closest to it.`
    : `The nearest neighbour of ${wrong} of ${counted(queries, "photo")} is of another identity. ${
      cards.length < wrong ? `The ${cards.length} worst of them` : "All of them"
    }, by how much nearer the wrong photo is than the nearest right one.`;
  const grid = element("div", { className: "confusions" }, ...cards);
  cards.slice(SHOWN_AT_FIRST).forEach((one) => one.classList.add("later"));
  const more = cards.length > SHOWN_AT_FIRST
    ? element("button", {
      type: "button",
      className: "more",
      onclick() {
        cards.forEach((one) => one.classList.remove("later"));
        more.remove();
      },
    }, `Show ${cards.length - SHOWN_AT_FIRST} more`)
    : null;
  return section("confusions", "Hardest confusions", lead, grid, more);
}

function card({ query, wrong, right, found }, { images, identities, pictures, pictured }) {
  const furthest = Math.max(wrong.distance, right.distance);
  const shown = (role, row, distance, kind) => {
    const { name, identity } = images[row];
    const label = `${role}: ${identities[identity].name}`;
    return element(
      "figure",
      { className: kind, title: name },
      picture(pictures, pictured.indexOf(row), label),
      element(
        "figcaption",
        {},
        element("span", { className: "role" }, role),
        element("strong", {}, identities[identity].name),
        distance === null ? element("small", {}, name.split("/").at(-1)) : distanceBar(distance, furthest),
      ),
    );
  };
  const nearest = shown(found ? "Nearest other" : "Found", wrong.row, wrong.distance, "impostor");
  const rightOne = shown("Nearest right", right.row, right.distance, "genuine");
  return element("article", {}, shown("Query", query, null, "query"), nearest, rightOne);
}

function distanceBar(distance, furthest) {
  return element(
    "small",
    {},
    svg(
      "svg",
      { width: "100%", height: 6, "aria-hidden": "true" },
      svg("rect", { width: `${100 * distance / (furthest || 1)}%`, height: 6, rx: 3 }),
    ),
    distance.toFixed(3),
  );
}
