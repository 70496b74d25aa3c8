import { frameOf } from "./camera.js";
import { $ } from "./dom.js";
import { guidanceOf } from "./guidance.js";
import { get } from "./worker.js";

/** How many embeddings are enrolled with the camera, and how far apart they are taken, milliseconds. */
const CAPTURES = 3, PAUSE = 700;

let model = null;

/** The worker's model in this browser, loaded when it is first needed. */
export function localModel({ fingerprint }) {
  model ??= import("/client/local.js")
    .then(({ openLocalModel }) => openLocalModel(new URL("/", location.href), fingerprint, get))
    .catch((error) => {
      model = null;
      throw error;
    });
  return model;
}

/** The embedding of a photo's largest face, computed here, and the face as the network sees it. */
export async function embedHere(file, card) {
  const { look, embed } = await localModel(card);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const embedded = await embed(bytes);
  const [{ pixels }] = await look(bytes);
  const canvas = document.createElement("canvas");
  drawPixels(canvas, pixels, card.input);
  const picture = await new Promise((resolve) => canvas.toBlob(resolve));
  return { embedded, url: URL.createObjectURL(picture) };
}

/** Shows faces in front of the camera as long as it is open: box, alignment and what to do better. */
export async function watchFaces(video, card, onGood = () => null) {
  $("guidance").textContent = "Loading the model";
  const { look } = await localModel(card);
  while (video.srcObject !== null) {
    const frame = await frameOf(video);
    const bytes = new Uint8Array(await frame.arrayBuffer());
    const sights = await look(bytes);
    if (video.srcObject === null) return;
    drawBoxes(sights, video);
    if (sights.length > 0) drawPixels($("aligned"), sights[0].pixels, card.input);
    const guidance = guidanceOf(sights.map(({ face }) => face), card.face.quality);
    $("guidance").textContent = guidance ?? await onGood(bytes) ?? "Good.";
    await new Promise(requestAnimationFrame);
  }
}

/** Takes three embeddings of whoever is in front of the camera, when the face is good; `done` gets them. */
export function captureThree(card, done) {
  const captures = [];
  let last = -Infinity;
  return async (bytes) => {
    if (performance.now() - last < PAUSE) return textOf(captures);
    const { embed } = await localModel(card);
    captures.push(await embed(bytes, "one"));
    last = performance.now();
    if (captures.length === CAPTURES) await done(captures);
    return textOf(captures);
  };
}

function textOf({ length }) {
  return length < CAPTURES ? `${length} of ${CAPTURES}: turn your head a little.` : `${CAPTURES} of ${CAPTURES}.`;
}

function drawBoxes(sights, { videoWidth, videoHeight }) {
  const overlay = $("overlay");
  overlay.width = videoWidth;
  overlay.height = videoHeight;
  const context = overlay.getContext("2d");
  context.strokeStyle = getComputedStyle(overlay).color;
  context.lineWidth = 3;
  for (const { face: { box } } of sights) context.strokeRect(box.x, box.y, box.width, box.height);
}

/** Draws `[height, width, channels]` 8-bit pixels. */
function drawPixels(canvas, pixels, { width, height, channels }) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[i * channels + (channels === 1 ? 0 : c)];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
