import { type Card, cardOf, type FaceSpec } from "./card.ts";
import { messageOf, ModelError } from "./errors.ts";
import { readFile } from "./read_file.ts";
import { sha256 } from "./sha256.ts";

/** One weight as tfjs's manifest describes it. */
export interface WeightSpec {
  name: string;
  shape: number[];
  dtype: "float32" | "int32" | "bool";
  quantization?: { dtype: "uint8" | "uint16" | "float16"; scale?: number; min?: number; original_dtype?: string };
}

/** A tfjs graph model's `model.json`, without a card. */
export interface GraphJson {
  format: "graph-model";
  generatedBy: string;
  convertedBy: string | null;
  modelTopology: unknown;
  signature: unknown;
  weightsManifest: { paths: string[]; weights: WeightSpec[] }[];
}

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
  return parseModelFiles(reader(directory, get), directory);
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
  const { modelJson, weights } = await readGraph(read, "model.json", directory);
  const card = cardOf(modelJson, `${directory}/model.json`);
  const actual = await fingerprintOf(modelJson, weights, card);
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

async function readFaceFiles(read: Read, spec: FaceSpec, directory: string | URL): Promise<FaceFiles> {
  const [detector, refiner, landmarks] = await Promise.all(FACE_NETWORKS.map(async (part) => {
    const { network } = spec[part];
    const graph = await readGraph(read, network.path, directory);
    const actual = await fingerprintOf(graph.modelJson, graph.weights);
    if (actual === network.fingerprint) return graph;
    throw new ModelError(
      `${directory}/${network.path} is not the network that the model card names: its fingerprint is ${actual}, the card says ${network.fingerprint}; copy the model again.`,
    );
  }));
  return { detector, refiner, landmarks };
}

async function readGraph(read: Read, name: string, directory: string | URL): Promise<GraphFiles> {
  const modelJson = parse(new TextDecoder().decode(await read(name)), `${directory}/${name}`);
  const paths = modelJson.weightsManifest.flatMap((group) => group.paths);
  return { modelJson, weights: concatenate(await Promise.all(paths.map(read))) };
}

/**
 * What an embedding is bound to: the SHA-256 of topology, weight manifest, weights and preprocessing, of which the networks
 * that find faces are a part.
 *
 * @param weights all shards, one after the other
 */
export async function fingerprintOf(
  model: Pick<GraphJson, "modelTopology" | "weightsManifest">,
  weights: Uint8Array<ArrayBuffer>,
  { input, face }: Partial<Pick<Card, "input" | "face">> = {},
): Promise<string> {
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  const facts = new TextEncoder().encode(canonicalJson({ topology: model.modelTopology, specs, input, face }));
  return await sha256(concatenate([facts, weights]));
}

function reader(directory: string | URL, get: Get): Read {
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
  let json: GraphJson;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ModelError(`${path} is not JSON; copy the model again.`);
  }
  if (json?.format !== "graph-model" || !Array.isArray(json.weightsManifest)) {
    throw new ModelError(`${path} is not a tfjs graph model; write one with \`deno task export\`.`);
  }
  return json;
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
