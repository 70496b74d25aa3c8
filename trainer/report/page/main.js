import { card } from "./card.js";
import { confusions } from "./confusions.js";
import { curves } from "./curves.js";
import { distances } from "./distances.js";
import { element, redrawAll } from "./dom.js";
import { embeddingMap } from "./embedding_map.js";
import { identities } from "./identities.js";
import { summary } from "./summary.js";

const SECTIONS = [
  ["Training", curves],
  ["Distances", distances],
  ["Map", embeddingMap],
  ["Confusions", confusions],
  ["Identities", identities],
  ["Card", card],
];

async function start() {
  const content = JSON.parse(document.getElementById("content").textContent);
  await Promise.all([load(content.thumbnails), load(content.pictures)]);
  const sections = SECTIONS.map(([title, make]) => [title, make(content)]).filter(([, section]) => section !== null);
  const links = sections.map(([title, { id }]) => element("a", { href: `#${id}` }, title));
  document.body.append(
    summary(content),
    element("nav", { "aria-label": "Sections" }, ...links),
    element("main", {}, ...sections.map(([, section]) => section)),
  );
  markSections(links);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  // Paper is white: what is drawn on canvases takes the light colours too.
  addEventListener("beforeprint", () => repaint("light"));
  addEventListener("afterprint", () => repaint(""));
}

async function load(sprite) {
  if (sprite === null) return;
  sprite.image = new Image();
  sprite.image.src = sprite.url;
  await sprite.image.decode();
}

function repaint(scheme) {
  document.documentElement.style.colorScheme = scheme;
  redrawAll();
}

/** Marks the link of the section that is being read. */
function markSections(links) {
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of links) link.setAttribute("aria-current", String(link.hash === `#${target.id}`));
    }
  }, { rootMargin: "-30% 0px -60% 0px" });
  document.querySelectorAll("main > section").forEach((one) => observer.observe(one));
}

start();
