import { type ModelFiles, modelReader, parseModelFiles } from "../shared/model_files.ts";
import { signedReader } from "../shared/model_signature.ts";
import type { Config } from "./config.ts";

/**
 * Reads the model of the settings.
 *
 * @throws {ModelError} if it cannot be read, was changed, or is not signed though the settings name who signs
 */
export function readServedModel({ model, modelKey }: Pick<Config, "model" | "modelKey">): Promise<ModelFiles> {
  const read = modelReader(model);
  return parseModelFiles(modelKey === undefined ? read : signedReader(read, modelKey, model), model);
}
