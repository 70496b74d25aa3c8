import type { Golden, InputSpec } from "../../shared/card.ts";
import { encodePng } from "../../shared/image/mod.ts";
import type { Embed } from "./verify.ts";

const COUNT = 4;

/**
 * Images and what the exported graph makes of them, one at a time as the worker runs it: what every runtime of the model
 * must reproduce.
 *
 * @param images `[height, width, channels]` 8-bit pixels each; the goldens are spread evenly over them
 * @param float32 of a model in int8: what it makes of them in float32
 */
export async function goldensOf(
  embed: Embed,
  images: readonly Uint8Array[],
  input: InputSpec,
  float32?: Embed,
): Promise<Golden[]> {
  const goldens: Golden[] = [];
  for (const row of spread(images.length, COUNT)) {
    const pixels = images[row];
    const png = await encodePng(pixels, input.height, input.width, input.channels);
    const embedding = await embed([pixels]);
    goldens.push({
      input: btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join("")),
      embedding: rounded(embedding),
      ...(float32 && { float32: rounded(await float32([pixels])) }),
    });
  }
  return goldens;
}

/** `count` numbers below `length`, evenly spread; repeated if there are fewer. */
export function spread(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(i * length / count));
}

/** Eight digits name every float32 that matters here, in half the text. */
function rounded(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(8)));
}
