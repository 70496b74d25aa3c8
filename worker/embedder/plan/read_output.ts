import { type Framed, pixelAt } from "./frames.ts";
import type { Network, Output } from "./layers.ts";

const FLOAT = 4;

/**
 * Reads what a network gives out of memory: its values without their frames and the channels that only fill up, put together.
 *
 * @param arena address of the activations
 */
export function readOutput(
  floats: Float32Array<ArrayBuffer>,
  { values, output }: Pick<Network, "values" | "output">,
  framed: readonly Framed[],
  arena: number,
): Float32Array<ArrayBuffer> {
  const assembled = (output: Output): Float32Array<ArrayBuffer> => {
    if ("value" in output) return read(output.value);
    const parts = output.parts.map(assembled);
    const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    for (let i = 0, at = 0; i < output.outer; i++) {
      for (const part of parts) {
        const length = part.length / output.outer;
        whole.set(part.subarray(i * length, (i + 1) * length), at);
        at += length;
      }
    }
    return whole;
  };
  const read = (value: number) => {
    const { height, width, channels } = values[value], stored = framed[value];
    const read = new Float32Array(height * width * channels);
    for (let row = 0, to = 0; row < height; row++) {
      for (let column = 0; column < width; column++, to += channels) {
        const from = (arena + pixelAt(stored, row, column)) / FLOAT;
        read.set(floats.subarray(from, from + channels), to);
      }
    }
    return read;
  };
  return assembled(output);
}
