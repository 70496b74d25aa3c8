import { UsageError } from "../../shared/errors.ts";
import { cpuEngine } from "./cpu.ts";
import { type Engine, EngineMissing } from "./engine.ts";
import { cudaEngine, nodeEngine } from "./tensorflow/mod.ts";
import { wasmEngine } from "./wasm/mod.ts";
import { webgpuEngine } from "./webgpu/mod.ts";

export { type Engine, EngineMissing } from "./engine.ts";

/** The engines by their names. */
export const ENGINES: Readonly<Record<string, Engine>> = Object.fromEntries(
  [cudaEngine, webgpuEngine, nodeEngine, wasmEngine, cpuEngine].map((engine) => [engine.name, engine]),
);

/** WebGPU where it has a GPU: its software drivers are slower than any other engine. */
const webgpuOnHardware: Engine = {
  ...webgpuEngine,
  async start() {
    if (await webgpuEngine.isHardware()) return await webgpuEngine.start();
    throw new EngineMissing(
      "WebGPU finds no GPU on this machine; --engine webgpu takes a software driver, if there is one.",
    );
  },
};

/** Those that `auto` tries, the best first. The last is there on every machine. */
const PREFERRED: readonly Engine[] = [cudaEngine, webgpuOnHardware, nodeEngine, wasmEngine];

/** The engine that runs now. */
export interface ChosenEngine {
  name: string;
  /** What it computes on, for a person. */
  device: string;
  /** The most that it can hold, bytes, where that is less than the machine has. */
  memory: number | undefined;
  /** Why this one and none that is better, a line each. */
  reason: string;
}

/**
 * Chooses an engine and starts it.
 *
 * @param name one of {@link ENGINES}, or `auto` for the best that is there
 * @throws {UsageError} if this version has no such engine
 * @throws {EngineMissing} if this machine does not have it
 */
export async function chooseEngine(name: string): Promise<ChosenEngine> {
  if (name === "auto") return await startBest(PREFERRED);
  if (!Object.hasOwn(ENGINES, name)) {
    const known = Object.keys(ENGINES).join(", ");
    throw new UsageError(
      `There is no engine \`${name}\` in this version, which has ${known}; take one of them with --engine, or auto.`,
    );
  }
  const engine = ENGINES[name];
  return { name, device: await engine.start(), memory: engine.memory, reason: `  ${name} was asked for.` };
}

/**
 * Starts the first of several engines that this machine has.
 *
 * @param engines the best first
 * @throws {EngineMissing} of the last, if there is none
 */
export async function startBest(engines: readonly Engine[]): Promise<ChosenEngine> {
  const missing: string[] = [];
  for (const engine of engines) {
    try {
      const device = await engine.start();
      return {
        name: engine.name,
        device,
        memory: engine.memory,
        reason: missing.join("\n") || `  ${engine.name} is the best there is.`,
      };
    } catch (error) {
      if (!(error instanceof EngineMissing) || engine === engines.at(-1)) throw error;
      missing.push(`  not ${engine.name}: ${error.message}`);
    }
  }
  throw new RangeError("there are no engines to choose from");
}
