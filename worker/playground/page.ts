import { style } from "./style.ts";

const HERE = `<label class="row"><input id="here" type="checkbox" checked> Compute in this browser, so that a photo is
      looked for without being sent</label>`;

/** What is recorded with a subject is the text itself. */
const CONSENT = `
      <button id="enrol-camera" type="button">Enrol with the camera</button>
      <label class="consent"><input type="checkbox" required>
        <span id="consent-text">I agree that numbers computed from my face are kept here under this name, to recognise me by, \
until they expire or I ask for their deletion.</span></label>`;

const GUIDANCE = `<p class="row"><canvas id="aligned" aria-label="The face as the network sees it"></canvas>
    <span id="guidance" role="status"></span></p>`;

/**
 * The playground as one HTML page, which loads its own modules and nothing else.
 *
 * @param nonce of the page's content security policy, without quotes
 * @param worker.thumbnails whether the worker keeps pictures to show
 * @param worker.isReadOnly whether nobody can be enrolled or deleted
 * @param worker.isOfFaces whether its model finds faces, and the page does too
 */
export function page(
  nonce: string,
  { thumbnails, isReadOnly, isOfFaces }: { thumbnails: boolean; isReadOnly: boolean; isOfFaces: boolean },
): string {
  return `<!doctype html>
<html lang="en"${thumbnails ? " data-thumbnails" : ""}${isReadOnly ? " data-read-only" : ""}${
    isOfFaces ? " data-faces" : ""
  }>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Triptych playground</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${style}</style>
<script type="module" nonce="${nonce}" src="/playground/main.js"></script>
</head>
<body>
<header>
  <h1><span aria-hidden="true">▮▮▮</span> Triptych</h1>
  <a href="/docs">API reference</a>
  <p id="model">Loading the model card</p>
  <label id="key-field" hidden>Key <input id="key" type="password" autocomplete="off"></label>
</header>
<main>
  <section aria-labelledby="photo-title">
    <h2 id="photo-title">Photo</h2>
    <label id="drop">
      <input id="file" type="file" accept="image/jpeg,image/png,image/webp">
      <img id="preview" alt="The chosen photo" hidden>
      <span id="hint">Drop a photo here, paste one, or choose a file</span>
    </label>
    <button id="camera" type="button" hidden>Use the camera</button>
    ${isOfFaces ? HERE : ""}
    <figure id="input-view" hidden>
      <img id="network-input" alt="The photo as the network sees it">
      <figcaption>What the network sees: <span id="input-size"></span></figcaption>
    </figure>
    ${
    isReadOnly ? `<p>The gallery is a snapshot: nobody can be enrolled or deleted here.</p>` : `<form id="enrol">
      <label>Enrol it as <input id="name" maxlength="128" placeholder="Name of the subject" required></label>
      <button class="primary">Enrol</button>${isOfFaces ? CONSENT : ""}
    </form>`
  }
  </section>
  <section aria-labelledby="match-title">
    <h2 id="match-title">Matches</h2>
    <p id="decision" role="status">No photo yet.</p>
    <p id="meaning"></p>
    <ol id="matches"></ol>
  </section>
  <section aria-labelledby="threshold-title">
    <h2 id="threshold-title">Threshold</h2>
    <label class="wide">How near is a match?
      <input id="threshold" type="range" min="0" max="0" step="1" value="0" disabled></label>
    <div id="rates" role="group" aria-label="False-match rates of the model card"></div>
    <dl>
      <dt>Distance</dt><dd><strong id="distance"></strong></dd>
      <dt class="fmr-key">False-match rate</dt>
      <dd><strong id="fmr"></strong> of pairs of different subjects are taken for the same</dd>
      <dt class="fnmr-key">False-non-match rate</dt>
      <dd><strong id="fnmr"></strong> of pairs of one subject are missed</dd>
    </dl>
    <svg id="scale" role="img"></svg>
  </section>
  <section aria-labelledby="gallery-title">
    <h2 id="gallery-title" tabindex="-1">Gallery</h2>
    <label class="row">Collection <select id="collection"><option>default</option></select></label>
    <p id="gallery-note"></p>
    <ul id="subjects"></ul>
    <button id="more" type="button" hidden>Show more</button>
  </section>
  <section aria-labelledby="map-title" class="broad">
    <h2 id="map-title">Map of the gallery</h2>
    <svg id="map" role="img"></svg>
    <p id="map-note"></p>
  </section>
</main>
<dialog id="viewfinder" aria-label="Camera">
  <div id="view"><video id="video" playsinline muted></video>${isOfFaces ? `<canvas id="overlay"></canvas>` : ""}</div>
  ${isOfFaces ? GUIDANCE : ""}
  <button id="shoot" type="button" class="primary">Take the photo</button>
  <button id="leave" type="button">Close</button>
</dialog>
<div id="error" role="alert" hidden><p id="error-text"></p>
  <button id="dismiss" type="button" aria-label="Dismiss the error">Dismiss</button></div>
</body>
</html>
`;
}
