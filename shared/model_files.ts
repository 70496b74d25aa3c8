import { type Card, cardOf, type FaceSpec } from "./card.ts";
import { messageOf, ModelError } from "./errors.ts";
import { GraphJson } from "./graph_json.ts";
import { readFile } from "./read_file.ts";
import { sha256 } from "./sha256.ts";

/** The `model.json` of one of our models. */
export interface ModelJson extends GraphJson {
  userDefinedMetadata: { triptych: Card };
}

/** A graph and its weights. */
export interface GraphFiles {
  modelJson: GraphJson;
  /** All shards of all groups, one after the other. */
  weights: Uint8Array<ArrayBuffer>;
}

/** The networks that find the faces for one that embeds them. */
export interface FaceFiles {
  detector: GraphFiles;
  refiner: GraphFiles;
  landmarks: GraphFiles;
}

const FACE_NETWORKS = ["detector", "refiner", "landmarks"] as const;

/** A model directory, read. */
export interface ModelFiles extends GraphFiles {
  modelJson: ModelJson;
  card: Card;
  /** Of a model of faces. */
  face?: FaceFiles;
}

/** Gives a file of a model directory by its name. */
type Read = (name: string) => Promise<Uint8Array<ArrayBuffer>>;

/** How a file is got over HTTP. */
type Get = (url: string) => Promise<Response>;

/**
 * Reads a model directory from disk or over HTTP, and checks that its bytes are those that its fingerprint was taken of.
 *
 * @param directory a path, or a URL ending in the directory
 * @param get for a directory that asks for a key
 * @throws {ModelError} if a file is missing, cannot be parsed, or was changed
 */
export function readModelFiles(directory: string | URL, get: Get = (url) => fetch(url)): Promise<ModelFiles> {
  return parseModelFiles(modelReader(directory, get), directory);
}

/**
 * The same of files that lie elsewhere.
 *
 * @param read gives a file of the directory by its name
 * @param directory named in errors
 * @throws {ModelError} if a file cannot be parsed, or was changed
 */
export async function parseModelFiles(
  read: Read,
  directory: string | URL,
): Promise<ModelFiles> {
  const { modelJson, weights, fingerprint: actual } = await readGraph(read, "model.json", directory, (modelJson) => {
    const { input, face, quantization: { activations } } = cardOf(modelJson, `${directory}/model.json`);
    return { input, face, activations };
  });
  const card = cardOf(modelJson, `${directory}/model.json`);
  if (actual !== card.fingerprint) {
    throw new ModelError(
      `The model in ${directory} is not the one that its card describes: its bytes have the fingerprint ${actual}, the card says ${card.fingerprint}; copy it again.`,
    );
  }
  const face = card.face && await readFaceFiles(read, card.face, directory);
  return { modelJson: modelJson as ModelJson, weights, card, ...face && { face } };
}

/** The names of all files of a model directory. */
export function fileNamesOf({ modelJson, card, face }: ModelFiles): string[] {
  const shards = (graph: GraphFiles) => graph.modelJson.weightsManifest.flatMap(({ paths }) => paths);
  const beside = FACE_NETWORKS.flatMap((part) =>
    card.face && face ? [card.face[part].network.path, ...shards(face[part])] : []
  );
  return ["model.json", ...modelJson.weightsManifest.flatMap(({ paths }) => paths), ...beside];
}

/**
 * A file of the networks that find faces, by its name in the model directory.
 *
 * @returns undefined if there is none of that name
 */
export function faceFile(files: FaceFiles, spec: FaceSpec, name: string): Uint8Array<ArrayBuffer> | undefined {
  for (const part of FACE_NETWORKS) {
    const { modelJson, weights } = files[part];
    if (spec[part].network.path === name) return new TextEncoder().encode(JSON.stringify(modelJson));
    if (modelJson.weightsManifest[0].paths[0] === name) return weights;
  }
  return undefined;
}

async function readFaceFiles(read: Read, spec: FaceSpec, directory: string | URL): Promise<FaceFiles> {
  const [detector, refiner, landmarks] = await Promise.all(FACE_NETWORKS.map(async (part) => {
    const { network } = spec[part];
    const { fingerprint: actual, ...graph } = await readGraph(read, network.path, directory);
    if (actual === network.fingerprint) return graph;
    throw new ModelError(
      `${directory}/${network.path} is not the network that the model card names: its fingerprint is ${actual}, the card says ${network.fingerprint}; copy the model again.`,
    );
  }));
  return { detector, refiner, landmarks };
}

/** Beside graph and weights, what decides which embedding an image has. */
type Bound = Partial<Pick<Card, "input" | "face"> & Pick<Card["quantization"], "activations">>;

async function readGraph(
  read: Read,
  name: string,
  directory: string | URL,
  boundOf: (modelJson: GraphJson) => Bound = () => ({}),
): Promise<GraphFiles & { fingerprint: string }> {
  const modelJson = parse(new TextDecoder().decode(await read(name)), `${directory}/${name}`);
  const paths = modelJson.weightsManifest.flatMap((group) => group.paths);
  // The bytes of the fingerprint, of which the weights are a part: large models are not to lie in memory twice.
  const facts = factsOf(modelJson, boundOf(modelJson));
  const bytes = concatenate([facts, ...await Promise.all(paths.map(read))]);
  return { modelJson, weights: bytes.subarray(facts.length), fingerprint: await sha256(bytes) };
}

/**
 * What an embedding is bound to: the SHA-256 of topology, weight manifest, weights and preprocessing, of which the networks
 * that find faces are a part, and, of a model in int8, of the grids of its activations.
 *
 * @param weights all shards, one after the other
 */
export async function fingerprintOf(
  model: Pick<GraphJson, "modelTopology" | "weightsManifest">,
  weights: Uint8Array<ArrayBuffer>,
  bound: Bound = {},
): Promise<string> {
  return await sha256(concatenate([factsOf(model, bound), weights]));
}

function factsOf(
  model: Pick<GraphJson, "modelTopology" | "weightsManifest">,
  { input, face, activations }: Bound,
): Uint8Array {
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  return new TextEncoder().encode(canonicalJson({ topology: model.modelTopology, specs, input, face, activations }));
}

/**
 * Reads the files of a model directory, by name.
 *
 * @param directory as of {@link readModelFiles}
 * @returns throws ModelError for a file that cannot be read
 */
export function modelReader(
  directory: string | URL,
  get: Get = (url) => fetch(url),
): Read {
  const base = String(directory).replace(/\/+$/, "");
  const remote = /^https?:/.test(base);
  return async (name) => {
    try {
      if (!remote) {
        return await readFile(base.startsWith("file:") ? new URL(`${base}/${name}`) : `${base}/${name}`);
      }
      const response = await get(`${base}/${name}`);
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      const cause = (error as { code?: unknown }).code === "ENOENT" ? "there is no such file" : messageOf(error);
      throw new ModelError(
        `Cannot read ${base}/${name}: ${cause}; give a directory that \`deno task train\` or \`deno task export\` wrote.`,
      );
    }
  };
}

function parse(text: string, path: string): GraphJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ModelError(`${path} is not JSON; copy the model again.`);
  }
  const { success, error } = GraphJson.safeParse(json);
  // As it is written: the fingerprint is of all of it.
  if (success) return json as GraphJson;
  const place = error.issues[0].path.join(".");
  throw new ModelError(`${path} is not a tfjs graph model, at ${place}; write one with \`deno task export\`.`);
}

function concatenate(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** JSON with the keys of every object in order, so that equal values have equal bytes. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item) =>
      item !== null && typeof item === "object" && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
        : item,
  );
}
