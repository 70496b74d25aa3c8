import { UncoveredGraphError } from "../graph.ts";
import { type Framed, frameOf, larger, PANEL, place } from "../frames.ts";
import { NO_SIDES, type Sides } from "../layers.ts";
import type { Pass, Passes, Stored } from "./network.ts";

const FLOAT = 4;

/** Gives every value a frame with as many zeros as its readers see, and a place that is its own while it is needed. */
export function frameCodes({ values, passes, output }: Passes): { framed: Framed[]; bytes: number } {
  const framed = values.map((value, index) => {
    const readers = passes.filter(({ input, addend }) => input.value === index || addend?.value === index);
    const zeros = readers.map((pass) => seenBy(pass, index, value)).reduce(larger, NO_SIDES);
    // The image is read number by number.
    const channels = index === 0 ? value.channels : PANEL * Math.ceil(value.channels / PANEL);
    return frameOf({ ...value, channels }, zeros, value.zero === null ? FLOAT : 1);
  });
  const lives = values.map((_, index) => {
    const first = passes.findIndex((pass) => pass.output === index);
    const last = passes.findLastIndex(({ input, addend }) => input.value === index || addend?.value === index);
    return { first, last: index === output ? passes.length : Math.max(first, last) };
  });
  return { framed, bytes: place(framed, lives) };
}

/** The zeros that a pass reads around a value. */
function seenBy({ step: { layer }, input, addend }: Pass, index: number, { height, width }: Stored): Sides {
  const plain = (view: typeof input) => view.zeros.top + view.zeros.left === 0 && view.shape.height <= height;
  if (layer.op !== "convolve" && layer.op !== "maxPool") {
    if (plain(input) && (addend === null || plain(addend))) return NO_SIDES;
    throw new UncoveredGraphError("padding before something else than a window", layer.name);
  }
  if (addend?.value === index && !plain(addend)) throw new UncoveredGraphError("padding that is added", layer.name);
  if (input.value !== index) return NO_SIDES;
  const [rows, columns] = layer.op === "maxPool" ? layer.size : layer.kernel.shape;
  const { top, left } = before({ step: { layer }, input });
  return {
    top,
    left,
    bottom: Math.max(0, (layer.shape.height - 1) * layer.strides[0] + rows - top - height),
    right: Math.max(0, (layer.shape.width - 1) * layer.strides[1] + columns - left - width),
  };
}

/** How far the first window reaches over the value. */
export function before({ step: { layer }, input: { zeros } }: Windowed): Pick<Sides, "top" | "left"> {
  const [top, left] = layer.op === "convolve" ? layer.borders : [0, 0];
  return { top: zeros.top + top, left: zeros.left + left };
}

interface Windowed {
  step: { layer: Pass["step"]["layer"] };
  input: Pick<Pass["input"], "zeros">;
}
