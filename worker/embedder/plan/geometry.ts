import { type Node, refuse } from "./graph.ts";
import { type Extent, NO_SIDES, type Sides, type Value } from "./layers.ts";

/**
 * Where the windows of an operation lie.
 *
 * @param zeros around the input, as part of it
 * @returns with `around`, how far windows reach over the input and these zeros, and the size of the output
 */
export function windowsOf(node: Node, { height, width }: Value, size: Extent, zeros: Sides) {
  const [, rows, columns] = node.attr.strides?.list?.i ?? [1, 1, 1];
  const padding = node.attr.padding?.s, explicit = node.attr.explicit_paddings?.list?.i ?? [];
  if ((node.attr.data_format?.s ?? "NHWC") !== "NHWC") refuse(node, "another layout of");
  const inner = { rows: height + zeros.top + zeros.bottom, columns: width + zeros.left + zeros.right };
  const around = padding === "SAME"
    ? same(inner, size, { rows, columns })
    : padding === "EXPLICIT"
    ? { top: explicit[2], bottom: explicit[3], left: explicit[4], right: explicit[5] }
    : NO_SIDES;
  const output = {
    height: Math.floor((inner.rows + around.top + around.bottom - size.rows) / rows) + 1,
    width: Math.floor((inner.columns + around.left + around.right - size.columns) / columns) + 1,
  };
  return { size, stride: { rows, columns }, around, output };
}

/** TensorFlow's `SAME`: where the zeros are odd in number, one more at the end. */
function same(inner: Extent, size: Extent, stride: Extent): Sides {
  const missing = (axis: keyof Extent) =>
    Math.max(0, (Math.ceil(inner[axis] / stride[axis]) - 1) * stride[axis] + size[axis] - inner[axis]);
  const rows = missing("rows"), columns = missing("columns");
  const top = Math.floor(rows / 2), left = Math.floor(columns / 2);
  return { top, left, bottom: rows - top, right: columns - left };
}

/** Side by side. */
export function plus(a: Sides, b: Sides): Sides {
  return { top: a.top + b.top, left: a.left + b.left, bottom: a.bottom + b.bottom, right: a.right + b.right };
}
