import { $ } from "./dom.js";

/** Offers the camera where there is one to ask for. `take` gets the photo as a file, `watch` the video while it runs. */
export function offerCamera(take, attempt, watch = () => {}) {
  // Browsers have cameras for pages of this machine and of https alone.
  $("camera").hidden = navigator.mediaDevices === undefined;
  $("camera").onclick = () =>
    attempt(async () => {
      await openCamera();
      await watch($("video"));
    });
  $("viewfinder").onclose = close;
  $("shoot").onclick = () =>
    attempt(async () => {
      const photo = await frameOf($("video"));
      $("viewfinder").close();
      await take(photo);
    });
  $("leave").onclick = () => $("viewfinder").close();
}

/** Shows what the camera sees. */
export async function openCamera() {
  try {
    const video = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 960 } };
    $("video").srcObject = await navigator.mediaDevices.getUserMedia({ video });
  } catch {
    throw new Error("The camera cannot be used; allow it for this page, or choose a file.");
  }
  $("viewfinder").showModal();
  await $("video").play();
}

function close() {
  for (const track of $("video").srcObject?.getTracks() ?? []) track.stop();
  $("video").srcObject = null;
}

/** The frame that a video shows, as a JPEG. */
export function frameOf(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
