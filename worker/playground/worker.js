import { $ } from "./dom.js";

const KEY = "triptych-key";
$("key").value = sessionStorage.getItem(KEY) ?? "";

/** Keeps the key for as long as the tab is open. */
export function keepKey() {
  sessionStorage.setItem(KEY, $("key").value);
}

/** What the worker answers as JSON; null where it answers nothing. Throws an error with the worker's sentence. */
export async function call(path, init) {
  const response = await send(path, init);
  return response.status === 204 ? null : await response.json();
}

/** A picture that the worker answers, as a URL of the page's own. */
export async function pictureUrl(path, init) {
  return URL.createObjectURL(await (await send(path, init)).blob());
}

/** A request that brings JSON. */
export function json(value) {
  return { method: "POST", body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

/** A request that brings an image file. The worker judges it by its bytes, whatever type the browser knows. */
export function image(file) {
  return { method: "POST", body: file, headers: { "content-type": "image/*" } };
}

/** What a URL of the worker answers, whatever that is. */
export function get(url) {
  return fetch(url, { headers: authorization() });
}

function authorization() {
  return $("key").value ? { authorization: `Bearer ${$("key").value}` } : {};
}

async function send(path, init = {}) {
  const headers = { ...init.headers, ...authorization() };
  let response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch {
    throw new Error("The worker does not answer; see whether it is running.");
  }
  if (response.ok) return response;
  if (response.status === 401 || response.status === 403) $("key-field").hidden = false;
  const { detail } = await response.json();
  throw new Error(detail);
}
