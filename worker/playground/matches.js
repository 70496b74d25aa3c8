import { $, element, percent } from "./dom.js";
import { pathOf } from "./gallery.js";
import { pictureUrl } from "./worker.js";

/** Shows what `/match` answered; null for nothing, with a sentence in its place. */
export function showMatches(answer, instead = "") {
  const matches = answer?.matches ?? [];
  $("decision").className = answer === null ? "" : answer.decision;
  $("decision").textContent = answer === null ? instead : decisionOf(answer);
  $("meaning").textContent = matches.length === 0 ? "" : meaningOf(answer);
  $("matches").replaceChildren(...matches.map((match, i) => itemOf(match, i + 1, answer.threshold)));
}

function decisionOf({ decision, matches, subjects }) {
  if (decision === "match") return `Match: ${matches[0].subject}`;
  return subjects === 0 ? "Nobody is enrolled here." : `No match among ${subjects}.`;
}

function meaningOf({ matches: [{ distance, falseMatchProbability }], subjects }) {
  return `A photo of none of the ${subjects} finds one of them at ${
    distance.toFixed(3)
  } or nearer with a probability of ${percent(falseMatchProbability)}.`;
}

function itemOf({ subject, image, distance, match }, rank, threshold) {
  const item = element(
    "li",
    { class: match ? "match" : "" },
    element("span", { class: "rank", "aria-hidden": "true" }, String(rank)),
    element(
      "div",
      {},
      element("strong", {}, subject),
      element("small", {}, `distance ${distance.toFixed(3)} ${match ? "≤" : ">"} ${threshold.distance.toFixed(3)}`),
    ),
    element("span", { class: "mark" }, match ? "match" : "no match"),
  );
  if ("thumbnails" in document.documentElement.dataset) addThumbnail(item, subject, image);
  return item;
}

/** An image that was enrolled before thumbnails were kept has none, and a key may lack the scope: then there is no picture. */
async function addThumbnail(item, subject, image) {
  const url = await pictureUrl(`${pathOf(subject)}/images/${image}/thumbnail`).catch(() => null);
  if (url === null) return;
  const picture = element("img", { src: url, alt: `Enrolled as ${subject}`, class: "thumbnail" });
  picture.onload = () => URL.revokeObjectURL(url);
  item.firstElementChild.after(picture);
}
