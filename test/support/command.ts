/** What a command printed and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts the trainer's command line in a process of its own, with the permissions of the tasks. */
export function spawnTrainer(...args: string[]): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-net", "--allow-sys", "--allow-ffi"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, "trainer/main.ts", ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Waits until a command has ended. */
export async function outcomeOf(child: Deno.ChildProcess): Promise<Outcome> {
  const [status, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: status.code, stdout, stderr };
}

/** Runs the trainer's command line to its end. */
export function runTrainer(...args: string[]): Promise<Outcome> {
  return outcomeOf(spawnTrainer(...args));
}
