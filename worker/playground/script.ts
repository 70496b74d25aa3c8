/** The playground's program. Texts of others enter the page as text alone. */
export const script = String.raw`
"use strict";
const $ = (id) => document.getElementById(id);
const key = $("key"), collection = $("collection");
let photo = null, cursor = null, latest = 0;
key.value = sessionStorage.getItem("triptych-key") ?? "";

async function call(path, init = {}) {
  const headers = { ...init.headers };
  if (key.value) headers.authorization = "Bearer " + key.value;
  const response = await fetch(path, { ...init, headers });
  if (response.status === 204) return null;
  const body = await response.json();
  if (response.ok) return body;
  if (response.status === 401 || response.status === 403) $("key-field").hidden = false;
  throw new Error(body.detail);
}

async function attempt(work) {
  $("error").hidden = true;
  try { await work(); } catch (error) { $("error").textContent = error.message; $("error").hidden = false; }
}

function item(title, detail, aside, className = "") {
  const li = document.createElement("li"), text = document.createElement("div");
  const strong = document.createElement("strong"), small = document.createElement("small");
  strong.textContent = title; small.textContent = detail;
  text.append(strong, small); li.append(text, aside); li.className = className;
  return li;
}

function percent(p) {
  return p >= 0.9995 ? "certain" : p < 0.0001 ? "below 0.01 %" : (100 * p).toPrecision(2).replace(/e.*/, "") + " %";
}

async function match() {
  if (photo === null) return;
  const mine = ++latest;
  $("decision").textContent = "Looking"; $("decision").className = "";
  const query = new URLSearchParams({ collection: collection.value, k: "5", fmr: $("fmr").value });
  let answer;
  try {
    answer = await call("/match?" + query, { method: "POST", body: photo, headers: { "content-type": photo.type || "image/unknown" } });
  } catch (error) {
    if (mine === latest) { $("decision").textContent = "No answer."; $("matches").replaceChildren(); }
    throw error;
  }
  if (mine !== latest) return;
  const yes = answer.decision === "match";
  $("decision").className = yes ? "yes" : "no";
  $("decision").textContent = yes ? "Match: " + answer.matches[0].subject
    : answer.subjects === 0 ? "Nobody is enrolled here." : "No match among " + answer.subjects + ".";
  $("matches").replaceChildren(...answer.matches.map((found) => {
    const mark = document.createElement("span");
    mark.className = "mark"; mark.textContent = found.match ? "match" : "no match";
    return item(found.subject, "distance " + found.distance.toFixed(3) + " of at most " + answer.threshold.distance.toFixed(3)
      + " · false match " + percent(found.falseMatchProbability), mark, found.match ? "match" : "");
  }));
}

async function choose(file) {
  if (!file) return;
  photo = file;
  URL.revokeObjectURL($("preview").src);
  $("preview").src = URL.createObjectURL(file);
  $("preview").hidden = false; $("hint").hidden = true;
  await attempt(match);
}

async function list(next = null) {
  const path = "/collections/" + encodeURIComponent(collection.value) + "/subjects";
  const page = await call(path + "?limit=50" + (next ? "&cursor=" + encodeURIComponent(next) : ""));
  const items = page.subjects.map(({ subject, images }) => {
    const button = document.createElement("button");
    button.textContent = "Delete"; button.setAttribute("aria-label", "Delete " + subject);
    button.onclick = () => confirm("Delete " + subject + " and its images?") && attempt(async () => {
      await call(path + "/" + encodeURIComponent(subject), { method: "DELETE" });
      await refresh(); await match();
    });
    return item(subject, images + (images === 1 ? " image" : " images"), button);
  });
  if (next === null) $("subjects").replaceChildren(...(items.length ? items : ["Nobody is enrolled here."]));
  else $("subjects").append(...items);
  cursor = page.cursor; $("more").hidden = cursor === null;
}

async function refresh() {
  const chosen = collection.value;
  const { collections } = await call("/collections");
  collection.replaceChildren(...collections.map(({ collection: name }) => new Option(name, name, false, name === chosen)));
  await list();
}

async function start() {
  const card = await call("/model");
  $("model").textContent = card.training.backbone + ", " + card.embedding.dimensions + " dimensions, recall@1 "
    + card.evaluation.recallAt1.toFixed(3) + " on " + card.evaluation.identities + " identities it never saw";
  await refresh();
}

$("file").onchange = () => choose($("file").files[0]);
$("drop").onkeydown = (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); $("file").click(); } };
$("drop").ondragover = (e) => { e.preventDefault(); $("drop").classList.add("over"); };
$("drop").ondragleave = () => $("drop").classList.remove("over");
$("drop").ondrop = (e) => { e.preventDefault(); $("drop").classList.remove("over"); choose(e.dataTransfer.files[0]); };
document.onpaste = (e) => choose([...e.clipboardData.files].find((file) => file.type.startsWith("image/")));
key.onchange = () => { sessionStorage.setItem("triptych-key", key.value); attempt(start); };
collection.onchange = () => attempt(async () => { await list(); await match(); });
$("fmr").onchange = () => attempt(match);
$("more").onclick = () => attempt(() => list(cursor));
$("enrol").onsubmit = (e) => {
  e.preventDefault();
  attempt(async () => {
    if (photo === null) throw new Error("Choose a photo first, then enrol it.");
    const path = "/collections/" + encodeURIComponent(collection.value) + "/subjects/" + encodeURIComponent($("name").value.trim()) + "/images";
    await call(path, { method: "POST", body: photo, headers: { "content-type": photo.type || "image/unknown" } });
    $("name").value = ""; await refresh(); await match();
  });
};
attempt(start);
`;
