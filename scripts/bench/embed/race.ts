import { join } from "node:path";
import { loadGraphNetwork } from "../../../shared/graph_network.ts";
import { gridsOf, readLayers } from "../../../shared/int8/mod.ts";
import { useWasmBackend } from "../../../shared/tfjs_wasm.ts";
import type { Reporter } from "../../../trainer/report/progress.ts";
import { cosine } from "../../../shared/distance.ts";
import { median } from "../median.ts";
import { BenchProcess, ProcessFailed } from "../process.ts";
import { INT8, isInt8 } from "./engines.ts";
import { writeNetwork } from "./network_files.ts";
import { flopsOf, makeNetwork } from "./networks.ts";
import { toOnnx } from "./onnx.ts";
import { toInt8Onnx } from "./onnx_int8.ts";
import { Embedded, Hello, Peak, type Request } from "./protocol.ts";

/** How far an engine's embedding may be from the others', in any dimension. */
const TOLERANCE = 1e-4;
/** The cosine to the first engine's embedding that one in int8 must have. */
const MIN_COSINE = 0.99;
/** Starts that are measured cold. */
const COLD_STARTS = 3;
/** An engine gets so long at a time, and turns to others then. */
const TURN_MS = 300;

/** What an engine did on a network, or why it did not. */
export interface Measured {
  network: string;
  engine: string;
  /** Of an embedding, the median. */
  milliseconds?: number;
  gigaflops?: number;
  /** From the start of the process to its first embedding, the median. */
  coldMilliseconds?: number;
  /** Of the process after that, bytes. */
  resident?: number;
  reason?: string;
}

interface Lane {
  engine: string;
  process: BenchProcess<Request, Hello>;
  milliseconds: number[];
  cold: number[];
  resident: number[];
  embedding?: number[];
  reason?: string;
}

/** Measures engines on a network; they take turns. */
export async function raceEngines(
  network: string,
  engines: readonly string[],
  rounds: number,
  reporter: Reporter,
): Promise<Measured[]> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-embed-" });
  try {
    const { flops, hasInt8 } = await prepare(network, folder);
    const able = engines.filter((engine) => hasInt8 || !isInt8(engine));
    const lanes = able.map((engine): Lane => {
      const process = new BenchProcess<Request, Hello>(commandOf(engine, folder), Hello);
      return { engine, process, milliseconds: [], cold: [], resident: [] };
    });
    const bar = reporter.progress(network, COLD_STARTS + rounds);
    for (let i = 0; i < COLD_STARTS; bar.update(++i)) {
      await each(lanes, (lane) => startCold(lane, i === COLD_STARTS - 1));
    }
    compareEmbeddings(lanes);
    for (let i = 0; i < rounds; bar.update(COLD_STARTS + ++i)) await each(lanes, takeTurn);
    bar.done();
    await Promise.all(lanes.map(({ process }) => process.stop()));
    return lanes.map((lane) => measuredOf(lane, network, flops));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The most that the kernels reach in a matrix product. */
export async function measurePeak(): Promise<Peak> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-embed-" });
  try {
    await prepare("mobilefacenet-112", folder);
    const process = new BenchProcess<Request, Hello>(commandOf("plan", folder), Hello);
    const peak = await process.ask({ do: "peak" }, Peak);
    await process.stop();
    return peak;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a network for all engines. @returns its floating-point operations, and whether it is there in int8 too */
async function prepare(network: string, folder: string) {
  await useWasmBackend();
  const { float32: files, int8 } = await makeNetwork(network);
  await writeNetwork(folder, files);
  if (int8 !== null) {
    await Deno.mkdir(`${folder}/${INT8}`);
    await writeNetwork(`${folder}/${INT8}`, int8);
    await Deno.writeFile(`${folder}/${INT8}/model.onnx`, toInt8Onnx(readLayers(int8), gridsOf(int8.activations!)));
  }
  const graph = await loadGraphNetwork(files);
  const weights = Object.entries(graph.weights).filter(([, [{ dtype }]]) => dtype === "float32");
  const decoded = new Map(weights.map(([name, [tensor]]) => [name, tensor.dataSync<"float32">()]));
  graph.dispose();
  await Deno.writeFile(`${folder}/model.onnx`, toOnnx(files, decoded));
  return { flops: flopsOf(files), hasInt8: int8 !== null };
}

function commandOf(engine: string, folder: string) {
  // ONNX Runtime is no package of the project's, so its lock file knows nothing of it.
  const lock = engine.startsWith("ort") ? ["--no-lock"] : [];
  const args = ["run", "--quiet", "--no-check", ...lock, "--allow-all", join(import.meta.dirname!, "child.ts")];
  return { program: Deno.execPath(), args: [...args, engine, folder] };
}

/** Who fails drops out. */
async function each(lanes: Lane[], act: (lane: Lane) => Promise<void>): Promise<void> {
  for (const lane of lanes.filter(({ reason }) => reason === undefined)) {
    try {
      await act(lane);
    } catch (error) {
      if (!(error instanceof ProcessFailed)) throw error;
      lane.reason = error.message;
    }
  }
}

async function startCold(lane: Lane, isLast: boolean): Promise<void> {
  const start = performance.now();
  const { embedding, resident } = await lane.process.start();
  lane.cold.push(performance.now() - start);
  lane.resident.push(resident);
  lane.embedding = embedding;
  if (!isLast) return await lane.process.stop();
  await lane.process.ask({ do: "embed", times: 3 }, Embedded);
}

/** An engine that computes something else than the first is not measured; in int8 the ranges of ONNX Runtime are finer. */
function compareEmbeddings(lanes: Lane[]): void {
  const reference = lanes.find(({ embedding }) => embedding !== undefined)?.embedding ?? [];
  for (const lane of lanes.filter(({ embedding }) => embedding !== undefined)) {
    if (isInt8(lane.engine)) {
      const alike = cosine(lane.embedding!, reference);
      if (!(alike >= MIN_COSINE)) lane.reason = `its embedding has a cosine of ${alike}`;
      continue;
    }
    const worst = Math.max(...lane.embedding!.map((value, i) => Math.abs(value - reference[i])));
    if (!(worst <= TOLERANCE)) lane.reason = `its embedding is off by ${worst}`;
  }
}

async function takeTurn(lane: Lane): Promise<void> {
  const last = lane.milliseconds.at(-1) ?? TURN_MS;
  const times = Math.max(1, Math.round(TURN_MS / last));
  lane.milliseconds.push(...(await lane.process.ask({ do: "embed", times }, Embedded)).milliseconds);
}

function measuredOf({ engine, cold, resident, reason, ...lane }: Lane, network: string, flops: number): Measured {
  if (reason !== undefined) return { network, engine, reason };
  const milliseconds = median(lane.milliseconds);
  const gigaflops = flops / milliseconds / 1e6;
  return { network, engine, milliseconds, gigaflops, coldMilliseconds: median(cold), resident: median(resident) };
}
