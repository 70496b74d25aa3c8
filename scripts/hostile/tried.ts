import { ImageError } from "../../shared/errors.ts";
import { toInputPixels } from "../../shared/image/mod.ts";

/** As the bundled model's, which is what a worker makes of an image. */
const INPUT = { height: 160, width: 160, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** What came of a file. */
export interface Tried {
  outcome: "taken" | "refused";
  milliseconds: number;
}

/**
 * Makes the network's input of a file that may be anything.
 *
 * @throws whatever is thrown that is no `ImageError`, or one of a trap in a decoder: a defect
 */
export async function tried(bytes: Uint8Array): Promise<Tried> {
  const start = performance.now();
  const outcome = await toInputPixels(bytes, { ...INPUT, mean: [...INPUT.mean], std: [...INPUT.std] }).then(
    () => "taken" as const,
    (error) => {
      // A decoder that traps has met what its authors have not.
      if (!(error instanceof ImageError) || error.cause instanceof WebAssembly.RuntimeError) throw error;
      return "refused" as const;
    },
  );
  return { outcome, milliseconds: performance.now() - start };
}

/** A value below which a share of others lies. @param share 0.99 for the 99th percentile */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? 0;
}

/**
 * By how much the memory of this process rises at most while something is done, in megabytes. Only Linux tells of the highest; elsewhere it is
 * what is left.
 */
export async function memoryRise(work: () => Promise<unknown>): Promise<number> {
  const before = Deno.memoryUsage().rss;
  // Sets the highest back to the present (proc_pid_clear_refs(5)).
  if (Deno.build.os === "linux") await Deno.writeTextFile("/proc/self/clear_refs", "5");
  await work();
  return (await highest() - before) / 1e6;
}

async function highest(): Promise<number> {
  if (Deno.build.os !== "linux") return Deno.memoryUsage().rss;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(await Deno.readTextFile("/proc/self/status")) ?? [];
  return 1024 * Number(kilobytes);
}
