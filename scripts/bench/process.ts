import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { linesOf } from "./lines.ts";

/** Why a process gives no other answer, in a sentence. */
const Failure = z.object({ error: z.string() });

/** What starts a process. */
export interface CommandLine {
  program: string;
  args: string[];
  env?: Record<string, string>;
}

/** A process could not do what it was asked; the message says why. */
export class ProcessFailed extends Error {
  override readonly name = "ProcessFailed";
}

interface Running {
  child: Deno.ChildProcess;
  requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  replies: AsyncIterator<string>;
  complaints: Promise<string>;
}

/**
 * A process that computes when it is asked to, and else waits. Both sides say a line of JSON: the process first what it is, then an answer
 * to each request, and it ends with its input. What it cannot do it answers with `{ error }`, a sentence, and ends.
 */
export class BenchProcess<Request, Hello> {
  #running: Running | undefined;

  /** @param hello what the process says first */
  constructor(private readonly command: CommandLine, private readonly hello: z.ZodType<Hello>) {}

  /**
   * Starts the process.
   *
   * @throws {ProcessFailed} if it cannot be started, or finds that it cannot compute here
   */
  async start(): Promise<Hello> {
    this.#running = this.#spawn();
    return await this.#reply(this.#running, this.hello);
  }

  /**
   * Asks for something, of a process that is started again if it has ended.
   *
   * @param answer what is expected
   * @throws {ProcessFailed} if there is another answer or none; the process has ended then
   */
  async ask<Answer>(request: Request, answer: z.ZodType<Answer>): Promise<Answer> {
    if (this.#running === undefined) await this.start();
    const running = this.#running!;
    // A process that has ended cannot be written to; that it has is found out where its reply is missing.
    await running.requests.write(encode(request)).catch(() => {});
    return await this.#reply(running, answer);
  }

  /** Ends the process, if it runs. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    await running.requests.close().catch(() => {});
    await running.child.status;
  }

  #spawn(): Running {
    const { program, args, env = {} } = this.command;
    try {
      const child = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
      return {
        child,
        requests: child.stdin.getWriter(),
        replies: linesOf(child.stdout),
        complaints: new Response(child.stderr).text(),
      };
    } catch (error) {
      throw new ProcessFailed(`${program} cannot be started (${messageOf(error)}).`);
    }
  }

  async #reply<Answer>(running: Running, answer: z.ZodType<Answer>): Promise<Answer> {
    const line = await running.replies.next();
    const reply = line.done ? { error: await epitaph(running) } : JSON.parse(line.value);
    const failure = Failure.safeParse(reply);
    if (!failure.success) return answer.parse(reply);
    await this.stop();
    throw new ProcessFailed(failure.data.error);
  }
}

/** Why a process ended without a word. */
async function epitaph({ child, complaints }: Running): Promise<string> {
  const { signal, code } = await child.status;
  if (signal === "SIGKILL") return "It was killed, most often because the machine's memory ran out.";
  return `It ended with ${signal ?? `status ${code}`}: ${(await complaints).trim().split("\n").at(-1)}`;
}

function encode(request: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(request)}\n`);
}
