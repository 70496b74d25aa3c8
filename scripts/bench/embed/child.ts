/**
 * Embeds an image with one engine as the benchmark asks: see `protocol.ts`.
 *
 *     child.ts ENGINE FOLDER
 *
 * @module
 */
import type { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import { linesOf } from "../lines.ts";
import { ENGINES } from "./engines.ts";
import type { Embedded, Hello, Peak, Request } from "./protocol.ts";

async function main([engine, folder]: string[]): Promise<void> {
  const embed = await ENGINES[engine](folder);
  const embedding = Array.from(await embed());
  reply<Hello>({ embedding, resident: Deno.memoryUsage().rss });
  for await (const line of linesOf(Deno.stdin.readable)) {
    const request = JSON.parse(line) as Request;
    if (request.do === "embed") {
      const milliseconds: number[] = [];
      for (let i = 0; i < request.times; i++) {
        const start = performance.now();
        await embed();
        milliseconds.push(performance.now() - start);
      }
      reply<z.infer<typeof Embedded>>({ milliseconds });
    } else {
      const { peaksOf } = await import("./peak.ts");
      reply<Peak>(await peaksOf());
    }
  }
}

function reply<Message>(message: Message): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

main(Deno.args).catch((error) => reply({ error: messageOf(error) })).finally(() => Deno.exit());
