import { UsageError } from "../../shared/errors.ts";
import { cpuEngine } from "./cpu.ts";
import type { Engine } from "./engine.ts";
import { wasmEngine } from "./wasm/mod.ts";

export type { Engine } from "./engine.ts";

/** The engines of this version by their names, the fastest first. */
export const ENGINES: Readonly<Record<string, Engine>> = { wasm: wasmEngine, cpu: cpuEngine };

/** The engine that runs now. */
export interface ChosenEngine {
  name: string;
  /** What it computes on, for a person. */
  device: string;
  /** Why this one, as a sentence. */
  reason: string;
}

/**
 * Chooses an engine and starts it.
 *
 * @param name one of {@link ENGINES}, or `auto` for the fastest that is there
 * @throws {UsageError} if this version has no such engine
 */
export async function chooseEngine(name: string): Promise<ChosenEngine> {
  if (name === "auto") {
    const device = await wasmEngine.start();
    return { name: wasmEngine.name, device, reason: "wasm is the fastest engine of this version." };
  }
  if (!Object.hasOwn(ENGINES, name)) {
    const known = Object.keys(ENGINES).join(" and ");
    throw new UsageError(
      `There is no engine \`${name}\` in this version, which has ${known}; take one of them with --engine, or auto.`,
    );
  }
  return { name, device: await ENGINES[name].start(), reason: `${name} was asked for.` };
}
