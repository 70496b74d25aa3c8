import { join } from "node:path";
import { UsageError } from "../../../shared/errors.ts";
import { MAX_THREADS } from "../../../trainer/engines/wasm/threads.ts";
import { type CommandLine, ProcessFailed } from "../process.ts";
import { Timed, type TrainingProcess, trainingProcess } from "./protocol.ts";

/** An engine, or PyTorch, on so many threads. */
export interface Contender {
  /** The engine's name, `torch`, or `torch-cuda`. */
  engine: string;
  /** Of the CPU; undefined on a GPU. */
  threads: number | undefined;
  /** What it computes on, for a person. */
  device: string;
  process: TrainingProcess;
}

/** Which of them to start. */
export interface ContenderOptions {
  /** Names; unless given all but `cpu`, and `webgpu` on a GPU alone. */
  names: readonly string[] | undefined;
  /** Unless given one, all cores, and as many as the wasm engine makes use of. */
  threads: readonly number[] | undefined;
  /** The Python that has PyTorch. */
  python: string;
}

/** How many threads each makes use of; 0 where their number is not ours to choose. */
const MOST_THREADS: Record<string, number> = {
  ...{ cuda: 0, "torch-cuda": 0, webgpu: 0 },
  ...{ node: Infinity, wasm: MAX_THREADS, torch: Infinity, cpu: 1 },
};
/** Names of all, but `cpu`, which takes minutes for a step. */
export const CONTENDERS: readonly string[] = Object.keys(MOST_THREADS).filter((name) => name !== "cpu");

const CORES = navigator.hardwareConcurrency;
const PERMISSIONS = ["--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"];

/**
 * Starts those that this machine has, each in a process of its own.
 *
 * @returns them, and of the others a sentence that says why not
 * @throws {UsageError} if one is unknown, or there is none
 */
export async function startContenders(
  options: ContenderOptions,
): Promise<{ contenders: Contender[]; missing: string[] }> {
  const { names = CONTENDERS, threads = [...new Set([1, Math.min(CORES, MAX_THREADS), CORES])] } = options;
  const unknown = names.find((name) => !Object.hasOwn(MOST_THREADS, name));
  if (unknown !== undefined) {
    throw new UsageError(`--engines takes some of ${Object.keys(MOST_THREADS).join(", ")}, not ${unknown}.`);
  }
  const started = await Promise.all(
    names.flatMap((name) =>
      (MOST_THREADS[name] === 0 ? [undefined] : threads).map((count) => startContender(name, count, options))
    ),
  );
  const contenders = started.filter((contender) => typeof contender !== "string");
  const missing = [...new Set(started.filter((contender) => typeof contender === "string"))];
  if (contenders.length > 0) return { contenders, missing };
  throw new UsageError(["There is nothing to measure.", ...missing].join(" "));
}

/** @returns the sentence that says why not, if it cannot be started */
async function startContender(
  engine: string,
  threads: number | undefined,
  { names, python }: ContenderOptions,
): Promise<Contender | string> {
  const most = MOST_THREADS[engine];
  if (threads !== undefined && threads > most) {
    return `${engine} is not measured on ${threads} threads: it makes use of ${most}.`;
  }
  const process = trainingProcess(commandOf(engine, threads, python));
  try {
    const { device, gpu } = await process.start();
    // A GPU may be found and yet not compute, such as one that is too old for what is installed.
    await process.ask({ do: "multiply", size: 8, times: 1 }, Timed);
    if (gpu) return { engine, threads: undefined, device, process };
    if (names !== undefined || engine !== "webgpu") return { engine, threads: threads ?? CORES, device, process };
    await process.stop();
    return "webgpu is not measured: it finds no GPU on this machine; --engines webgpu takes its software driver.";
  } catch (error) {
    if (error instanceof ProcessFailed) return `${engine} is not measured: ${error.message}`;
    throw error;
  }
}

function commandOf(engine: string, threads: number | undefined, python: string): CommandLine {
  const script = (file: string) => join(import.meta.dirname!, file);
  const count = threads === undefined ? [] : [String(threads)];
  // Float32 everywhere: TensorFlow and PyTorch would shorten it on some GPUs.
  const env = { NVIDIA_TF32_OVERRIDE: "0", PYTHONDONTWRITEBYTECODE: "1" };
  return {
    ...engine.startsWith("torch")
      ? { program: python, args: [script("torch_child.py"), engine === "torch" ? "cpu" : "cuda", ...count] }
      : { program: Deno.execPath(), args: ["run", ...PERMISSIONS, script("child.ts"), engine, ...count] },
    env: threads === undefined ? env : { ...env, TF_NUM_INTRAOP_THREADS: count[0], OMP_NUM_THREADS: count[0] },
  };
}
