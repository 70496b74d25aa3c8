import type { Plan, Shape, Step } from "../../../../shared/int8/mod.ts";
import { UncoveredGraphError } from "../graph.ts";
import { NO_SIDES, type Sides } from "../layers.ts";

/** A value that lies in memory. */
export interface Stored extends Shape {
  /** The code of zero; null where the value is float32. */
  zero: number | null;
}

/** A value as a step takes it: with zeros around it, or as a row of features. */
export interface View {
  value: number;
  zeros: Pick<Sides, "top" | "left">;
  shape: Shape;
}

/** A step, on values by their places in the list of all; the first is the image. */
export interface Pass {
  step: Step;
  input: View;
  addend: View | null;
  output: number;
}

/** Int8 inference as passes over values: padding and changes of shape are only ways to look at one. */
export interface Passes {
  values: Stored[];
  passes: Pass[];
  /** The value that is the embedding. */
  output: number;
  epsilon: number | null;
}

/**
 * Puts the steps of int8 inference in order for memory.
 *
 * @throws {UncoveredGraphError} if the embedding is something else than a row of features, or no longer of length 1
 */
export function passesOf({ steps, input, inputShape }: Plan): Passes {
  const values: Stored[] = [{ ...inputShape, zero: null }];
  const views = new Map<string, View>([[input, { value: 0, zeros: NO_SIDES, shape: inputShape }]]);
  const passes: Pass[] = [];
  let epsilon: number | null = null, last = views.get(input)!;
  for (const step of steps) {
    const { layer } = step, from = views.get(layer.input)!;
    if (epsilon !== null) throw new UncoveredGraphError(`a ${layer.op} after the normalisation`, layer.name);
    if (layer.op === "pad") {
      const [top, left] = layer.borders;
      const zeros = { top: from.zeros.top + top, left: from.zeros.left + left };
      last = { ...from, zeros, shape: layer.shape };
    } else if (layer.op === "flatten") last = { ...from, shape: layer.shape };
    else if (layer.op === "normalize") epsilon = layer.epsilon;
    else {
      const addend = "addend" in layer && layer.addend !== null ? views.get(layer.addend)! : null;
      const output = values.push({ ...layer.shape, zero: zeroOf(step, values[from.value]) }) - 1;
      passes.push({ step, input: from, addend, output });
      last = { value: output, zeros: NO_SIDES, shape: layer.shape };
    }
    views.set(layer.name, last);
  }
  const { height, width } = values[last.value];
  if (height * width !== 1) throw new UncoveredGraphError("an output of one dimension", steps.at(-1)!.layer.name);
  return { values, passes, output: last.value, epsilon };
}

function zeroOf(step: Step, input: Stored): number | null {
  if ("finish" in step) return step.finish.grid?.zero ?? null;
  return step.layer.op === "maxPool" ? input.zero : null;
}
