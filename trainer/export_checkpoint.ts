import { DataError } from "../shared/errors.ts";
import { readCheckpoint, restoreWeights } from "./checkpoint.ts";
import { hashOf, isSeen, readDataset } from "./data/dataset.ts";
import type { Sample } from "./data/sample.ts";
import { chooseEngine } from "./engines/mod.ts";
import type { Scheme } from "./export/mod.ts";
import { bundledFaceFinder } from "./faces.ts";
import { inputOf } from "./models/pixel_scales.ts";
import { createNetwork } from "./network.ts";
import { calibrationOf, readersFor } from "./photo_sets.ts";
import { publish, type Published } from "./publish.ts";
import type { Reporter } from "./report/progress.ts";

/** Which run to export, and how. */
export interface ExportCheckpointJob {
  /** The directory of a training run. */
  checkpoint: string;
  /** Its photos, by which the export is judged; where they were, unless given. */
  data?: string | undefined;
  out: string;
  /** As the run was configured, unless given. */
  quantize?: Scheme | undefined;
  reporter: Reporter;
}

/**
 * Exports the network of a training run, in any scheme.
 *
 * @throws {ModelError} if there is no checkpoint, or the export is not faithful to it
 * @throws {DataError} if the photos are not those of the run
 */
export async function exportCheckpoint(job: ExportCheckpointJob): Promise<Published> {
  const checkpoint = await readCheckpoint(job.checkpoint);
  const { config } = checkpoint;
  const data = job.data ?? checkpoint.data;
  const dataset = await readDataset(data, config.seed);
  if (await hashOf(dataset) !== checkpoint.dataHash) {
    throw new DataError(
      `The photos in ${data} are not those that ${job.checkpoint} was trained on; give these with --data.`,
    );
  }
  await chooseEngine("auto");
  const input = inputOf(config);
  const scheme = job.quantize ?? config.quantize;
  const read = async (samples: Sample[], label: string) => {
    const bar = job.reporter.progress(label, samples.length);
    const options = { maxUnreadable: 1, onProgress: (done: number) => bar.update(done) };
    const { items, undetected } = await readersFor(faces).probes(samples, input, options);
    bar.done();
    return { probes: items, undetected };
  };
  const faces = config.faces ? await bundledFaceFinder(input) : undefined;
  const tested = await read(dataset.test, "Reading photos");
  const calibration = scheme === "int8"
    ? (await read(calibrationOf(dataset.train), "Reading training photos")).probes
    : [];
  const model = await createNetwork(config);
  restoreWeights(model, checkpoint);
  return await publish({
    ...{ model, checkpoint, scheme, calibration, faces, out: job.out },
    exam: { ...tested, input, seen: isSeen(dataset), seed: config.seed },
  });
}
