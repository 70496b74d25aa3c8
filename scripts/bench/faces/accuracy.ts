import { DataError } from "../../../shared/errors.ts";
import { decode, type Image } from "../../../shared/image/mod.ts";
import { concatenate } from "../../../trainer/concatenate.ts";
import { labelsOf } from "../../../trainer/data/batches.ts";
import { listSamples } from "../../../trainer/data/dataset.ts";
import { evaluateEmbeddings, rankOneOfSingleEnrolment } from "../../../trainer/metrics/mod.ts";

/** From a photo to the embedding of its largest face, of unit length; none where it finds no face. */
export type FaceEmbedder = (image: Image) => Promise<Float32Array | undefined>;

/** How well people are recognised; a face that is not found counts as an error. */
export interface Accuracy {
  photos: number;
  undetected: number;
  /** With one photo of each enrolled, over all choices of it. */
  rank1: number;
  eer: number;
}

/** Judges an embedder on a folder of people. */
export async function accuracyOf(embed: FaceEmbedder, data: string): Promise<Accuracy> {
  const samples = await listSamples(data);
  const embeddings: Float32Array[] = [];
  const found: typeof samples = [], lost: typeof samples = [];
  for (const sample of samples) {
    const embedding = await embed(await decode(await Deno.readFile(sample.path)));
    (embedding === undefined ? lost : found).push(sample);
    if (embedding !== undefined) embeddings.push(embedding);
  }
  if (found.length === 0) throw new DataError(`No face is found in any photo of ${data}.`);
  const all = labelsOf([...found, ...lost]);
  const images = {
    embeddings: concatenate(embeddings),
    labels: all.subarray(0, found.length),
    missed: all.subarray(found.length),
  };
  const { evaluation } = evaluateEmbeddings(images.embeddings, images.labels, { seed: 1, missed: images.missed });
  return {
    photos: samples.length,
    undetected: lost.length,
    rank1: rankOneOfSingleEnrolment(images),
    eer: evaluation.eer,
  };
}
