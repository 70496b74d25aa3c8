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
 * Starts the worker and waits until it is ready. Its port is `PORT`, by default 8000, or any free one if that is taken.
 *
 * @param env settings of the worker, such as `TRIPTYCH_MODEL`
 * @throws {Error} with what it printed, if it ends or is not ready within a minute
 */
export async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const port = freePort(Number(env.PORT ?? Deno.env.get("PORT") ?? 8000));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-write", "--allow-env", "--allow-net", "worker/serve.ts"],
    env: { ...env, PORT: String(port) },
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
