/** A worker in a process of its own, started as a user would. */
export interface WorkerProcess {
  base: string;
  child: Deno.ChildProcess;
  /** Sends a signal and waits for the end. */
  stop(signal?: Deno.Signal): Promise<{ code: number; milliseconds: number }>;
}

/** What a process that ended printed. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

const ROOT = new URL("../../../", import.meta.url);
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-net", "--allow-sys"];

/** Starts `deno run worker/main.ts` on a free port and waits for the line that says where. */
export function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  return ready(command(["run", ...PERMISSIONS, "worker/main.ts"], { PORT: "0", ...env }).spawn());
}

/** The same with `deno serve`. */
export function startServe(env: Record<string, string>): Promise<WorkerProcess> {
  return ready(command(["serve", "--port", "0", ...PERMISSIONS, "worker/main.ts"], env).spawn());
}

/** Runs `deno run` where it is expected to end by itself. */
export async function runToEnd(
  env: Record<string, string>,
  program = "worker/serve.ts",
  ...args: string[]
): Promise<Ended> {
  const run = ["run", ...PERMISSIONS, program, ...args];
  const { code, stdout, stderr } = await command(run, { PORT: "0", ...env }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Starts a program that says where it listens, such as a built worker. */
export function startProgram(program: string, args: string[], options: Deno.CommandOptions): Promise<WorkerProcess> {
  return ready(new Deno.Command(program, { ...options, args, stdout: "piped", stderr: "piped" }).spawn());
}

function command(args: string[], env: Record<string, string>): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [args[0], "--quiet", ...args.slice(1)],
    cwd: ROOT,
    env: { NO_COLOR: "1", TRIPTYCH_GALLERY: "memory:", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

async function ready(child: Deno.ChildProcess): Promise<WorkerProcess> {
  const complaints = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "", port: string | undefined;
  while (port === undefined) {
    const { done, value } = await lines.read();
    if (done) throw new Error(`the worker ended: ${await complaints}`);
    printed += value;
    port = /http:\/\/localhost:(\d+)/.exec(printed)?.[1];
  }
  const rest = (async () => {
    while (!(await lines.read()).done);
  })();
  return {
    base: `http://127.0.0.1:${port}`,
    child,
    async stop(signal = "SIGTERM") {
      const start = performance.now();
      child.kill(signal);
      const { code } = await child.status;
      await Promise.all([rest, complaints]);
      return { code, milliseconds: performance.now() - start };
    },
  };
}
