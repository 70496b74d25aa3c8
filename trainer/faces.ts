import { fileURLToPath } from "node:url";
import type { FaceSpec, InputSpec } from "../shared/card.ts";
import type { FaceNetworks } from "../shared/face/mod.ts";
import { loadFaceNetworks } from "../shared/face_networks.ts";
import { toInputPixels } from "../shared/image/mod.ts";
import { type FaceFiles, readModelFiles } from "../shared/model_files.ts";

const BUNDLED = fileURLToPath(import.meta.resolve("../samples/face-model"));

/** How a run finds the faces on its photos, and what its model gets to find them in the same way. */
export interface FaceFinder {
  spec: FaceSpec;
  files: FaceFiles;
  networks: FaceNetworks;
  /** What the model's goldens are made of: `[height, width, channels]` 8-bit pixels each, of nobody's face. */
  examples: Uint8Array[];
}

/**
 * The networks of the bundled model, in the engine that is in use, with its template in the size of an input.
 *
 * @throws {ModelError} if it cannot be read
 */
export async function bundledFaceFinder(input: InputSpec): Promise<FaceFinder> {
  const { card, face: files } = await readModelFiles(BUNDLED);
  const { template, ...spec } = card.face!;
  const scale = input.width / card.input.width;
  const examples = card.goldens.map((golden) => Uint8Array.from(atob(golden.input), (text) => text.charCodeAt(0)));
  return {
    spec: { ...spec, template: template.map(({ landmark, x, y }) => ({ landmark, x: scale * x, y: scale * y })) },
    files: files!,
    networks: await loadFaceNetworks(files!),
    examples: await Promise.all(examples.map((image) => toInputPixels(image, input))),
  };
}
