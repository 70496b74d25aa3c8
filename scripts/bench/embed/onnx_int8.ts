import type { Grid } from "../../../shared/card.ts";
import { CODE_MAX, type Convolution, type Layers } from "../../../shared/int8/mod.ts";
import { channelsFirst, OnnxWriter } from "./onnx_writer.ts";

/** The largest code of ONNX Runtime. */
const MOST = 255;

/**
 * A network in int8 as an ONNX model of `QuantizeLinear` and `DequantizeLinear` nodes, with the same whole-numbered weights, and with the
 * same ranges of its values in 8 bits.
 *
 * @param grids of the values that have one
 */
export function toInt8Onnx(network: Layers, grids: ReadonlyMap<string, Grid>): Uint8Array<ArrayBuffer> {
  const writer = new Writer(network, grids);
  for (const layer of network.layers) writer.layer(layer);
  const { height, width, channels } = network.inputShape;
  return writer.model(["value0", [1, channels, height, width]], ["embedding", [
    1,
    network.layers.at(-1)!.shape.channels,
  ]]);
}

class Writer extends OnnxWriter {
  readonly #shapes: Map<string, Layers["inputShape"]>;
  /** What each value is called, after it went through its range. */
  readonly #names: Map<string, string>;
  readonly #grids: Map<string, Grid>;
  #isEnded = false;

  constructor(readonly network: Layers, grids: ReadonlyMap<string, Grid>) {
    super();
    this.#shapes = new Map([[network.input, network.inputShape]]);
    this.#names = new Map([[network.input, "value0"]]);
    this.#grids = new Map([...grids].map(([name, { scale, zero }]) => [name, wider(scale, zero)]));
  }

  layer(layer: Layers["layers"][number]): void {
    const { name } = layer, input = this.#names.get(layer.input)!;
    this.#shapes.set(name, layer.shape);
    switch (layer.op) {
      case "convolve":
        return this.#convolution(layer, input);
      case "add":
        this.node("Add", [input, this.#names.get(layer.addend)!], `${name}/sum`);
        return this.#activated(layer, `${name}/sum`, this.#grids.get(name));
      case "pad":
        // Windows take the padding in.
        return void this.#names.set(name, input);
      case "maxPool":
        this.node("MaxPool", [input], name, this.#windows(layer, layer.size, [0, 0]));
        return this.#quantized(name, name, this.#gridOf(layer.input));
      case "mean":
        this.node("GlobalAveragePool", [input], name);
        return void this.#names.set(name, name);
      case "flatten":
        this.node("Flatten", [input], name, { axis: 1 });
        return void this.#names.set(name, name);
      case "dense": {
        const { channels } = layer.shape, rows = layer.kernel.length / channels;
        this.node("Flatten", [input], `${name}/row`, { axis: 1 });
        const matrix = this.tensor(`${name}/matrix`, [rows, channels], layer.kernel);
        this.node("Gemm", [`${name}/row`, matrix, this.tensor(`${name}/bias`, [channels], layer.bias)], name);
        return void this.#names.set(name, name);
      }
      case "normalize":
        this.#isEnded = true;
        return this.embedding(input, layer.epsilon);
    }
  }

  /** @throws if the embedding is not of unit length */
  override model(...ends: Parameters<OnnxWriter["model"]>): Uint8Array<ArrayBuffer> {
    if (!this.#isEnded) throw new Error("The network does not end in a normalisation.");
    return super.model(...ends);
  }

  #convolution(layer: Convolution, input: string): void {
    const { name, kernel, shape: { channels }, depthwise, borders } = layer;
    const [rows, columns, ins] = kernel.shape, taps = rows * columns, inner = depthwise ? 1 : ins;
    const weights = this.#weights(layer, [channels, inner, rows, columns], taps, inner);
    const from = this.#gridOf(layer.input);
    const bias = this.#bias(layer, from?.scale);
    const attributes = { ...this.#windows(layer, [rows, columns], borders), group: depthwise ? channels : 1 };
    this.node("Conv", [input, weights, bias], `${name}/product`, attributes);
    let value = `${name}/product`;
    const grid = this.#grids.get(name);
    if (layer.addend !== null) {
      // Twice the range of the sum, on both sides of zero, for a summand that has none of its own.
      if (grid !== undefined) value = this.#through(value, symmetric(grid));
      this.node("Add", [value, this.#names.get(layer.addend)!], `${name}/sum`);
      value = `${name}/sum`;
    } else if (layer.activation.slopes !== null && grid !== undefined) value = this.#through(value, symmetric(grid));
    this.#activated(layer, value, grid);
  }

  /** ONNX Runtime adds biases as whole numbers, where the input has a range. */
  #bias({ name, bias, scale, shape: { channels } }: Convolution, inputScale: number | undefined): string {
    if (inputScale === undefined) {
      return this.tensor(
        `${name}/bias`,
        [channels],
        bias.map((value, c) => value * scale[c]),
      );
    }
    const whole = Int32Array.from(bias, (value) => Math.round(value / inputScale));
    const steps = Float32Array.from(scale, (value) => value * inputScale);
    return this.#dequantized(`${name}/bias`, [channels], whole, steps, new Int32Array(channels));
  }

  #weights(
    { name, kernel: { values }, scale, shape: { channels } }: Convolution,
    shape: number[],
    taps: number,
    inner: number,
  ) {
    if (values instanceof Int8Array) {
      const turned = channelsFirst(values, taps, inner, channels);
      return this.#dequantized(`${name}/filter`, shape, turned, Float32Array.from(scale), new Int8Array(channels));
    }
    const scaled = Float32Array.from(values, (value, i) => value * scale[i % channels]);
    return this.tensor(`${name}/filter`, shape, channelsFirst(scaled, taps, inner, channels));
  }

  #dequantized(
    name: string,
    shape: number[],
    values: Int8Array | Int32Array,
    steps: Float32Array,
    zeros: Int8Array | Int32Array,
  ): string {
    const parts = [this.tensor(`${name}/codes`, shape, values), this.tensor(`${name}/steps`, [steps.length], steps)];
    this.node("DequantizeLinear", [...parts, this.tensor(`${name}/zeros`, [zeros.length], zeros)], name, { axis: 0 });
    return name;
  }

  #activated(
    { name, activation: { slopes, lowest, highest }, shape }: Pick<Convolution, "name" | "activation" | "shape">,
    value: string,
    grid?: Grid,
  ) {
    if (slopes !== null) {
      this.node("PRelu", [value, this.tensor(`${name}/slopes`, [shape.channels, 1, 1], slopes)], `${name}/bent`);
      value = `${name}/bent`;
    } else if (grid === undefined && lowest === 0) {
      const most = highest.find(Number.isFinite) ?? Infinity;
      const bounds = [lowest, most].map((bound, i) => this.tensor(`${name}/bound${i}`, [], Float32Array.of(bound)));
      this.node("Clip", [value, ...bounds], `${name}/bent`);
      value = `${name}/bent`;
    }
    this.#quantized(name, value, grid);
  }

  /** Names a value, after its range where it has one: no number below or above it is left. */
  #quantized(name: string, value: string, grid: Grid | undefined): void {
    this.#names.set(name, grid === undefined ? value : this.#through(value, grid));
    if (grid !== undefined) this.#grids.set(name, grid);
  }

  #through(value: string, { scale, zero }: Grid): string {
    const parts = [
      this.tensor(`${value}/step`, [], Float32Array.of(scale)),
      this.tensor(`${value}/zero`, [], Uint8Array.of(zero)),
    ];
    this.node("QuantizeLinear", [value, ...parts], `${value}/codes`);
    this.node("DequantizeLinear", [`${value}/codes`, ...parts], `${value}/meant`);
    return `${value}/meant`;
  }

  #windows(
    { input, shape, strides }: Pick<Convolution, "input" | "shape" | "strides">,
    size: readonly [number, number],
    [top, left]: readonly [number, number],
  ) {
    let above = top, before = left, name = input;
    for (let layer = this.#layer(name); layer?.op === "pad"; layer = this.#layer(name)) {
      above += layer.borders[0];
      before += layer.borders[1];
      name = layer.input;
    }
    const { height, width } = this.#shapes.get(name)!;
    const below = Math.max(0, (shape.height - 1) * strides[0] + size[0] - above - height);
    const after = Math.max(0, (shape.width - 1) * strides[1] + size[1] - before - width);
    return { kernel_shape: [...size], strides: [...strides], pads: [above, before, below, after] };
  }

  #layer(name: string) {
    return this.network.layers.find((layer) => layer.name === name);
  }

  #gridOf(name: string): Grid | undefined {
    const layer = this.#layer(name);
    return layer?.op === "pad" ? this.#gridOf(layer.input) : this.#grids.get(name);
  }
}

/** The same range in 8 bits. */
function wider(scale: number, zero: number): Grid {
  return { scale: scale * CODE_MAX / MOST, zero: Math.round(zero * MOST / CODE_MAX) };
}

function symmetric({ scale }: Grid): Grid {
  return { scale: 2 * scale, zero: 128 };
}
