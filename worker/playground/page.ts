import { script } from "./script.ts";
import { style } from "./style.ts";

/**
 * The playground as one HTML page that loads nothing.
 *
 * @param nonce of the page's content security policy, without quotes
 */
export function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Triptych playground</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header>
  <h1><span aria-hidden="true">▮▮▮</span> Triptych</h1>
  <p id="model">Loading the model card</p>
  <label id="key-field" hidden>Key <input id="key" type="password" autocomplete="off"></label>
</header>
<main>
  <section aria-labelledby="photo-title">
    <h2 id="photo-title">Photo</h2>
    <label id="drop" tabindex="0">
      <input id="file" type="file" accept="image/jpeg,image/png,image/webp" tabindex="-1">
      <img id="preview" alt="The chosen photo" hidden>
      <span id="hint">Drop a photo here, paste one, or press Enter to choose</span>
    </label>
    <form id="enrol">
      <label>Enrol it as <input id="name" maxlength="128" placeholder="Name of the subject" required></label>
      <button>Enrol</button>
    </form>
  </section>
  <section aria-labelledby="match-title">
    <h2 id="match-title">Matches</h2>
    <p id="decision" role="status">No photo yet.</p>
    <ol id="matches"></ol>
    <label class="row">False-match rate
      <select id="fmr"><option value="0.1">1 in 10</option><option value="0.01">1 in 100</option>
        <option value="0.001" selected>1 in 1,000</option></select>
    </label>
  </section>
  <section aria-labelledby="gallery-title">
    <h2 id="gallery-title">Gallery</h2>
    <label class="row">Collection <select id="collection"><option>default</option></select></label>
    <ul id="subjects"></ul>
    <button id="more" hidden>Show more</button>
  </section>
</main>
<p id="error" role="alert" hidden></p>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`;
}
