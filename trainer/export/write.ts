import type { Card } from "../../shared/card.ts";
import type { GraphJson } from "../../shared/graph_json.ts";
import type { GraphFiles, ModelJson } from "../../shared/model_files.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import type { GraphDef } from "./graph_def.ts";
import type { EncodedWeights } from "./quantize.ts";

/** Browsers cache files up to about this size, and the tfjs converter cuts there too. */
export const SHARD_BYTES = 4 * 1024 * 1024;

const GENERATED_BY = "triptych";
const SHARD = /^group1-shard\d+of\d+-[0-9a-f]{8}\.bin$/;

/** A graph and its weights as tfjs loads them, before they have a card and their shards have names. */
export function toGraphFiles({ topology, signature }: GraphDef, { specs, bytes }: EncodedWeights): GraphFiles {
  const modelJson: GraphJson = {
    format: "graph-model",
    generatedBy: GENERATED_BY,
    convertedBy: null,
    modelTopology: topology,
    signature,
    weightsManifest: [{ paths: [], weights: specs }],
  };
  return { modelJson, weights: bytes };
}

/**
 * Writes a model directory so that a reader finds the old model or the new one, and never a mixture: shards carry the
 * fingerprint in their names, `model.json` takes its place last and at once, and only then are the old shards removed.
 * Other files of the directory stay.
 *
 * @param shardBytes the size of all shards but the last
 */
export async function writeModel(
  directory: string,
  { modelJson, weights }: GraphFiles,
  card: Card,
  shardBytes = SHARD_BYTES,
): Promise<void> {
  const paths = shardNames(weights.length, shardBytes, card.fingerprint);
  for (const [i, path] of paths.entries()) {
    await replaceFile(`${directory}/${path}`, [weights.subarray(i * shardBytes, (i + 1) * shardBytes)]);
  }
  const whole: ModelJson = {
    ...modelJson,
    weightsManifest: [{ paths, weights: modelJson.weightsManifest.flatMap((group) => group.weights) }],
    userDefinedMetadata: { triptych: card },
  };
  await replaceFile(`${directory}/model.json`, [new TextEncoder().encode(JSON.stringify(whole))]);
  await removeOtherShards(directory, paths);
}

function shardNames(bytes: number, shardBytes: number, fingerprint: string): string[] {
  const count = Math.max(1, Math.ceil(bytes / shardBytes));
  const tag = fingerprint.replace("sha256:", "").slice(0, 8);
  return Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}-${tag}.bin`);
}

async function removeOtherShards(directory: string, paths: string[]): Promise<void> {
  for await (const { name } of Deno.readDir(directory)) {
    if (SHARD.test(name) && !paths.includes(name)) await Deno.remove(`${directory}/${name}`);
  }
}
