import { z } from "zod";

/** How long an image took. */
export const EmbedTiming = z.object({
  decode: z.number().min(0).meta({ description: "From the file to the network's input, in milliseconds." }),
  embed: z.number().min(0).meta({ description: "The network, in milliseconds." }),
});

/** Rounds timings in milliseconds to microseconds. */
export function rounded<Timing extends Record<string, number>>(timing: Timing): Timing {
  return Object.fromEntries(Object.entries(timing).map(([name, ms]) => [name, Math.round(ms * 1000) / 1000])) as Timing;
}

/** The `Server-Timing` header of timings in milliseconds. */
export function serverTiming(timing: Record<string, number>): string {
  return Object.entries(rounded(timing)).map(([name, ms]) => `${name};dur=${ms}`).join(", ");
}
