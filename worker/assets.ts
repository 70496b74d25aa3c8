import { readFile } from "../shared/read_file.ts";

/** Files that the worker hands on to browsers as they are, by where they lie in this folder. */
export const ASSETS = [
  "client/dist/client.js",
  "client/dist/local.js",
  "client/dist/tfjs.js",
  "playground/camera.js",
  "playground/dom.js",
  "playground/faces.js",
  "playground/gallery.js",
  "playground/guidance.js",
  "playground/main.js",
  "playground/map.js",
  "playground/matches.js",
  "playground/scale.js",
  "playground/worker.js",
] as const;

/** One of {@link ASSETS}. */
export type Asset = typeof ASSETS[number];

/** Where assets come from. */
export type AssetSource = (path: Asset) => Promise<Uint8Array<ArrayBuffer>>;

let source: AssetSource = (path) => readFile(new URL(path, import.meta.url));

/** Takes the assets from elsewhere than beside this file, or beside the bundle that it became part of. */
export function takeAssetsFrom(other: AssetSource): void {
  source = other;
}

/** Reads an asset. */
export function readAsset(path: Asset): Promise<Uint8Array<ArrayBuffer>> {
  return source(path);
}
