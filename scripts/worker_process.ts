import { UsageError } from "../shared/errors.ts";
import { workerFlags } from "./worker_flags.ts";

/** A worker in a process of its own, as an operator would run it. */
export interface WorkerProcess {
  url: string;
  /** Settles when the process has ended by itself or was stopped. */
  ended: Promise<unknown>;
  /** Asks it to finish what is under way and waits until it has ended. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/**
 * The port that the environment names, by default 8000.
 *
 * @throws {UsageError} if it is none
 */
export function workerPort(): number {
  const text = Deno.env.get("PORT") ?? "8000";
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new UsageError(`PORT=${text} is no port; give 0 to 65535.`);
  }
  return port;
}

/**
 * Starts the worker and waits until it is ready. Of its settings only those given count, not those of this process; if its
 * port is taken, any free one is used.
 *
 * @param env settings of the worker, such as `TRIPTYCH_MODEL`
 * @throws {Error} with what it printed, if it ends or is not ready within a minute
 */
export async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const port = freePort(env.PORT === undefined ? workerPort() : Number(env.PORT));
  const settings = { ...env, PORT: String(port) };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...workerFlags(settings), "worker/serve.ts"],
    clearEnv: true,
    env: { ...inherited(), ...settings },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(child.stderr).text();
  let running = true;
  const ended = child.status.then(() => running = false);
  const url = `http://localhost:${port}`;
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!(await isReady(url))) {
    if (!running) throw new Error(`the worker ended: ${(await complaints).trim()}`);
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error("the worker was not ready within a minute.");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const stop = async () => {
    if (running) child.kill("SIGTERM");
    await ended;
  };
  return { url, ended, stop };
}

function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("TRIPTYCH_")));
}

function freePort(wanted: number): number {
  for (const port of [wanted, 0]) {
    try {
      const listener = Deno.listen({ port, hostname: "127.0.0.1" });
      const { port: free } = listener.addr as Deno.NetAddr;
      listener.close();
      return free;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("no port is free.");
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
