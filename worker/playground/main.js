import { offerCamera, openCamera } from "./camera.js";
import { $, element, oneIn, percent } from "./dom.js";
import { captureThree, embedHere, watchFaces } from "./faces.js";
import { listCollections, listSubjects, loadMap, pathOf } from "./gallery.js";
import { createMap } from "./map.js";
import { showMatches } from "./matches.js";
import { createScale, describeStop, stopsOf } from "./scale.js";
import { call, image, json, keepKey, pictureUrl } from "./worker.js";

const drawScale = createScale($("scale")), drawMap = createMap($("map"));
const isOfFaces = "faces" in document.documentElement.dataset;
/** A request may ask for any rate below 1. */
const HIGHEST_RATE = 1 - 1e-9;
let card = null, stops = [], map = null;
/** The photo that was chosen, its embedding, and what it matches. */
let photo = null, embedded = null, matches = [];
/** The number of the last search: the answers of earlier ones come too late. */
let latest = 0;

/** Shows the sentence of what goes wrong. */
async function attempt(work) {
  $("error").hidden = true;
  try {
    await work();
  } catch (error) {
    $("error-text").textContent = error.message;
    $("error").hidden = false;
  }
}

function stop() {
  return stops[$("threshold").value];
}

function draw() {
  if (card !== null) drawScale({ card, stop: stop(), matches });
  drawMap(map === null ? null : { map, embedding: embedded?.embedding ?? null, matches });
}

/** Chooses a photo: the worker says what the network sees and computes its embedding, once for all searches. */
async function choose(file) {
  if (!file) return;
  latest++;
  [photo, embedded, matches] = [file, null, []];
  showMatches(null, "Looking");
  show("preview", URL.createObjectURL(file));
  $("hint").hidden = true;
  $("input-view").hidden = true;
  try {
    const seen = await ($("here")?.checked ? embedHere(file, card) : embedThere(file));
    if (photo !== file) return URL.revokeObjectURL(seen.url);
    embedded = seen.embedded;
    const { url } = seen;
    show("network-input", url);
    $("input-view").hidden = false;
    await match();
  } catch (error) {
    if (photo !== file) return;
    showMatches(null, "No answer.");
    draw();
    throw error;
  }
}

/** The embedding of a photo, and what the network sees of it, from the worker; of faces those of the largest. */
async function embedThere(file) {
  const { embedding, fingerprint } = await call(isOfFaces ? "/embed?face=largest" : "/embed", image(file));
  return { embedded: { embedding, fingerprint }, url: await pictureUrl("/preview", image(file)) };
}

function show(id, url) {
  URL.revokeObjectURL($(id).src);
  $(id).src = url;
  $(id).hidden = false;
}

async function match() {
  if (embedded === null) return draw();
  const mine = ++latest;
  // A rate, for not every key may ask for a distance.
  const fmr = Math.min(stop().fmr, HIGHEST_RATE);
  const query = new URLSearchParams({ collection: $("collection").value, k: 5, fmr });
  const answer = await call(`/match?${query}`, json(embedded));
  if (mine !== latest) return;
  matches = answer.matches;
  showMatches(answer);
  draw();
}

async function enrol(items) {
  const subject = pathOf($("name").value.trim());
  for (const item of items) await call(`${subject}/images`, item);
  if (isOfFaces) await recordConsent(subject);
  $("enrol").reset();
  await refresh();
  await match();
}

/** Writes down with a subject to what was agreed, and when. */
async function recordConsent(subject) {
  const { metadata, expiresAt } = await call(subject);
  const consent = { text: $("consent-text").textContent, at: new Date().toISOString() };
  await call(subject, { ...json({ metadata: { ...metadata, consent }, expiresAt }), method: "PUT" });
}

/** Enrols whoever is in front of the camera with three captures, of which the embeddings alone are sent. */
async function enrolWithCamera() {
  if (!$("enrol").reportValidity()) return;
  await openCamera();
  await watchFaces(
    $("video"),
    card,
    captureThree(card, async (captures) => {
      $("viewfinder").close();
      await enrol(captures.map(json));
    }),
  );
}

function remove(subject) {
  attempt(async () => {
    await call(pathOf(subject), { method: "DELETE" });
    $("gallery-title").focus();
    await refresh();
    await match();
  });
}

/** Shows the gallery anew. A key that may only match does not see it, and says so there. */
async function refresh() {
  try {
    await listCollections();
    await listSubjects(remove);
  } catch (error) {
    $("subjects").replaceChildren();
    $("gallery-note").textContent = error.message;
  }
  map = await loadMap();
  draw();
}

async function start() {
  card = await call("/model");
  const { training, embedding, evaluation, input, thresholds } = card;
  $("model").textContent = `${training.backbone}, ${embedding.dimensions} dimensions, recall@1 ${
    percent(evaluation.recallAt1)
  } on ${evaluation.identities} identities it never saw`;
  $("input-size").textContent = `${input.width} × ${input.height}, ${
    input.channels === 1 ? "grey" : "colour"
  }, ${input.fit}`;
  stops = stopsOf(card);
  $("threshold").max = stops.length - 1;
  $("threshold").disabled = false;
  $("rates").replaceChildren(...thresholds.map((listed) => {
    const button = element("button", { type: "button" }, oneIn(listed.fmr));
    button.onclick = () => setThreshold(stops.indexOf(listed));
    return button;
  }));
  setThreshold(stops.indexOf(thresholds[0]));
  await refresh();
}

function setThreshold(index) {
  $("threshold").value = index;
  describeStop(stop(), card.thresholds);
  attempt(match);
}

$("file").onchange = () => attempt(() => choose($("file").files[0]));
document.ondragover = (event) => {
  event.preventDefault();
  $("drop").classList.add("over");
};
document.ondragleave = () => $("drop").classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  attempt(() => choose(event.dataTransfer.files[0]));
};
document.onpaste = ({ clipboardData }) => {
  const file = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (file !== undefined) attempt(() => choose(file));
};
$("preview").onerror = () => {
  $("preview").hidden = true;
  $("hint").hidden = false;
};
offerCamera(choose, attempt, (video) => isOfFaces && watchFaces(video, card));
$("key").onchange = () => {
  keepKey();
  attempt(async () => {
    await start();
    if (embedded === null) await choose(photo);
  });
};
$("collection").onchange = () =>
  attempt(async () => {
    await refresh();
    await match();
  });
$("threshold").oninput = () => setThreshold($("threshold").value);
$("more").onclick = () => attempt(() => listSubjects(remove, false));
$("enrol")?.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => {
    if (photo === null) throw new Error("Choose a photo first, then enrol it.");
    return enrol([image(photo)]);
  });
});
$("enrol-camera")?.addEventListener("click", () => attempt(enrolWithCamera));
$("dismiss").onclick = () => $("error").hidden = true;
attempt(start);
