import { Message } from "./protobuf.ts";

/** Of ONNX's `TensorProto` and `AttributeProto`. */
const FLOAT = 1, UINT8 = 2, INT8 = 3, INT32 = 6, INTEGERS_FIELD = 8, TYPE = { integer: 2, integers: 7 };
const IR_VERSION = 8, OPSET = 17;

/** Numbers of a constant. */
type Numbers = Float32Array | Uint8Array | Int8Array | Int32Array;

/** Writes an ONNX model, node by node. */
export class OnnxWriter {
  readonly #nodes: Message[] = [];
  readonly #tensors: Message[] = [];

  /** The model as a file. @param input, output names and shapes of float32 */
  model(input: [name: string, shape: number[]], output: [name: string, shape: number[]]): Uint8Array<ArrayBuffer> {
    const graph = new Message().fields(1, this.#nodes).field(2, "network").fields(5, this.#tensors)
      .field(11, valueInfo(...input)).field(12, valueInfo(...output));
    const opset = new Message().field(1, "").integer(2, OPSET);
    return new Message().integer(1, IR_VERSION).field(7, graph).field(8, opset).bytes();
  }

  /** Ends the network: one row, of unit length unless `epsilon` is null. */
  embedding(input: string, epsilon: number | null): void {
    this.node("Flatten", [input], "flat", { axis: 1 });
    if (epsilon === null) return this.node("Identity", ["flat"], "embedding");
    // ONNX's own normalisation knows no least length, which matters before a network is trained.
    this.node("Mul", ["flat", "flat"], "squares");
    this.node("ReduceSum", ["squares"], "squared_length");
    this.node("Max", ["squared_length", this.tensor("epsilon", [], Float32Array.of(epsilon))], "bounded");
    this.node("Sqrt", ["bounded"], "length");
    this.node("Div", ["flat", "length"], "embedding");
  }

  /** @returns the name */
  tensor(name: string, shape: readonly number[], values: Numbers): string {
    const tensor = new Message();
    shape.forEach((size) => tensor.integer(1, size));
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#tensors.push(tensor.integer(2, typeOf(values)).field(8, name).field(9, raw));
    return name;
  }

  node(op: string, inputs: string[], output: string, attributes: Record<string, number | number[]> = {}): void {
    const node = new Message().fields(1, inputs).field(2, output).field(3, `${output}/${op}`).field(4, op);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Message().field(1, name);
      if (typeof value === "number") attribute.integer(3, value).integer(20, TYPE.integer);
      else {
        value.forEach((one) => attribute.integer(INTEGERS_FIELD, one));
        attribute.integer(20, TYPE.integers);
      }
      node.field(5, attribute);
    }
    this.#nodes.push(node);
  }
}

function typeOf(values: Numbers): number {
  if (values instanceof Float32Array) return FLOAT;
  if (values instanceof Int32Array) return INT32;
  return values instanceof Int8Array ? INT8 : UINT8;
}

/** `[taps, inner, outputs]` as `[outputs, inner, taps]`. */
export function channelsFirst<T extends Float32Array | Int8Array>(
  filter: T,
  taps: number,
  inner: number,
  outputs: number,
): T {
  const turned = filter.slice() as T;
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inner; i++) {
      for (let o = 0; o < outputs; o++) turned[(o * inner + i) * taps + tap] = filter[(tap * inner + i) * outputs + o];
    }
  }
  return turned;
}

function valueInfo(name: string, shape: number[]): Message {
  const sizes = shape.map((size) => new Message().integer(1, size));
  const tensor = new Message().integer(1, FLOAT).field(2, new Message().fields(1, sizes));
  return new Message().field(1, name).field(2, new Message().field(1, tensor));
}
