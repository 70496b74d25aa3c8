import {
  type AdditionStep,
  type ConvolutionStep,
  INT8_BIAS,
  type PlainStep,
  type Weight,
} from "../../../../shared/int8/mod.ts";
import { Addresses } from "../addresses.ts";
import { UncoveredGraphError } from "../graph.ts";
import { aligned, type Framed, PANEL, pixelAt } from "../frames.ts";
import type { Step } from "../kernels.ts";
import { constantsOf, endsOf } from "./constants.ts";
import { before } from "./frames.ts";
import type { Pass, Passes } from "./network.ts";

const FLOAT = 4;
/** Pixels of a tile of the convolution. */
const TILE = 4;
/** Bytes that a block of pixels reads and writes, so that they stay in the second cache while all filters pass by. */
const CACHED = 2 ** 18;
const UNIT = { rows: 1, columns: 1 };

/** A matrix that is packed once: of a filter in codes as they are stored, or in float32. */
export interface Matrix {
  values: Uint8Array | Float32Array;
  /** Pixels that a window sees, their channels, and as many as these have in memory. */
  taps: number;
  inner: number;
  stored: number;
  columns: number;
  to: number;
}

/** Gives every part of a network its address, and says which kernels compute it. */
export class Int8Binding {
  readonly addresses = new Addresses();
  readonly matrices: Matrix[] = [];
  /** What computes each pass. */
  readonly steps: Step[][];
  readonly arena: number;
  /** Of the activations, and the sums of float32 layers. */
  readonly arenaBytes: number;

  constructor(readonly network: Passes, readonly framed: Framed[], bytes: number) {
    const sums = Math.max(0, ...network.passes.map((pass) => this.#sumsBytes(pass)));
    this.arenaBytes = aligned(aligned(bytes) + sums);
    this.arena = this.addresses.take(this.arenaBytes);
    const scratch = this.arena + aligned(bytes);
    this.steps = network.passes.map((pass) => [...this.#border(pass), ...this.#pass(pass, scratch)]);
  }

  /** Where a pixel lies. */
  at(value: number, row = 0, column = 0): number {
    return this.arena + pixelAt(this.framed[value], row, column);
  }

  #pass(pass: Pass, scratch: number): Step[] {
    const { step } = pass, codes = this.network.values[pass.input.value].zero !== null;
    if ("operands" in step) return [this.#addition(pass, step)];
    if ("multiplier" in step) {
      if (!codes) return this.#floatConvolution(pass, step, scratch);
      return [step.layer.depthwise ? this.#depthwise(pass, step) : this.#convolution(pass, step)];
    }
    switch (step.layer.op) {
      case "maxPool":
        return [this.#maxPool(pass, step.layer, codes)];
      case "mean":
        return [this.#mean(pass, step, codes)];
      case "dense":
        return [this.#dense(pass, step.layer)];
      default:
        throw new UncoveredGraphError(`a ${step.layer.op} there`, step.layer.name);
    }
  }

  /** Where the arena was used by others before, zeros must be written again. */
  #border({ output }: Pass): Step[] {
    const { offset, zeros, height, width, bytes, rowBytes, pixelBytes } = this.framed[output];
    if (zeros.top + zeros.left + zeros.bottom + zeros.right === 0) return [];
    const rows = [this.arena + offset, bytes / rowBytes, rowBytes, zeros.top, zeros.left * pixelBytes, height];
    return [{ kernel: "fillBorder", args: [...rows, width * pixelBytes, this.network.values[output].zero ?? 0] }];
  }

  #convolution(pass: Pass, step: ConvolutionStep): Step {
    const { kernel, strides } = step.layer, input = this.framed[pass.input.value], output = this.framed[pass.output];
    const [rows, columns, inner, outputs] = kernel.shape, run = columns * input.channels;
    const filter = this.#matrix(storedCodes(kernel, pass), rows * columns, inner, input.channels, outputs, 1);
    const stride = { rows: strides[0], columns: strides[1] };
    const share = stride.rows * stride.columns * input.pixelBytes + output.pixelBytes;
    const block = TILE * Math.max(1, Math.floor(CACHED / share / TILE));
    const seen = this.addresses.table(output, input, stride), placed = this.addresses.table(output, output, UNIT);
    const from = [this.#window(pass), seen, rows, input.rowBytes, run, filter];
    const to = [this.at(pass.output), placed, output.channels, ...this.#ends(pass, step)];
    const { residual, zero, factor } = this.#addend(pass, step);
    const added = pass.addend === null ? 0 : this.addresses.table(output, this.framed[pass.addend.value], UNIT);
    const sum = [residual, added, zero, factor];
    return { kernel: "convolveCodes", args: [...from, ...to, ...sum, block, output.height * output.width] };
  }

  #depthwise(pass: Pass, step: ConvolutionStep): Step {
    const { kernel, strides } = step.layer, input = this.framed[pass.input.value], output = this.framed[pass.output];
    const [rows, columns, channels] = kernel.shape, count = rows * columns, pairs = Math.ceil(count / 2);
    const codes = storedCodes(kernel, pass), taps = new Uint32Array(2 * pairs);
    const filter = new Int8Array(2 * pairs * output.channels);
    for (let tap = 0; tap < count; tap++) {
      taps[tap] = Math.floor(tap / columns) * input.rowBytes + tap % columns * input.pixelBytes;
      const start = 2 * (tap >> 1) * output.channels + tap % 2;
      for (let c = 0; c < channels; c++) filter[start + 2 * c] = codes[tap * channels + c] - INT8_BIAS;
    }
    const { residual, zero, factor } = this.#addend(pass, step);
    const from = [this.#window(pass), input.rowBytes, ...strides, this.addresses.vector(taps), pairs];
    const to = [this.at(pass.output), output.rowBytes, output.height, output.width, output.channels];
    const addedRow = pass.addend === null ? 0 : this.framed[pass.addend.value].rowBytes;
    const end = [...this.#ends(pass, step), residual, addedRow, zero, factor];
    return { kernel: "depthwiseCodes", args: [...from, this.addresses.vector(filter), ...to, ...end] };
  }

  /** A convolution of float32 values, block by block of sums. */
  #floatConvolution(pass: Pass, step: ConvolutionStep, scratch: number): Step[] {
    const { kernel, strides, depthwise, name } = step.layer;
    if (depthwise || step.addend !== null) throw new UncoveredGraphError("a float32 depthwise or residual layer", name);
    const input = this.framed[pass.input.value], output = this.framed[pass.output];
    const [rows, columns, inner, outputs] = kernel.shape, run = columns * input.channels;
    const values = Float32Array.from(kernel.values);
    const filter = this.#matrix(values, rows * columns, inner, input.channels, outputs, FLOAT);
    const seen = this.addresses.table(output, input, { rows: strides[0], columns: strides[1] });
    const placed = this.addresses.table(output, output, UNIT), ends = this.#ends(pass, step);
    const block = this.#sumsBytes(pass) / output.channels / FLOAT, pixels = output.height * output.width;
    const lined = this.addresses.rows(block, output.channels * FLOAT);
    const bias = this.addresses.vector(new Float32Array(output.channels));
    const steps: Step[] = [];
    for (let p = 0; p < pixels; p += block) {
      const count = Math.min(block, pixels - p);
      const from = [this.#window(pass), seen + 4 * p, rows, input.rowBytes, run, filter, scratch, lined];
      const end = [output.channels, bias, 0, 0, 0, -Infinity, Infinity, count, count];
      steps.push({ kernel: "convolveFused", args: [...from, ...end] });
      const to = [scratch, count, this.at(pass.output), placed + 4 * p, output.channels, ...ends];
      steps.push({ kernel: "finishSums", args: to });
    }
    return steps;
  }

  /** Of the sums of a block of pixels, in whole tiles. */
  #sumsBytes({ step, input, output }: Pass): number {
    if (!("multiplier" in step) || this.network.values[input.value].zero !== null) return 0;
    const { channels, height, width } = this.framed[output];
    const most = 12 * Math.max(1, Math.floor(CACHED / 2 / channels / FLOAT / 12));
    return Math.min(most, height * width) * channels * FLOAT;
  }

  #addition(pass: Pass, { layer, operands, finish }: AdditionStep): Step {
    const output = this.framed[pass.output];
    const args = [pass.input, pass.addend!].flatMap(({ value }, i) => {
      if (this.network.values[value].zero === null) throw new UncoveredGraphError("a float32 addition", layer.name);
      return [this.at(value), this.framed[value].rowBytes, operands[i].zero, operands[i].factor];
    });
    const constants = this.addresses.vector(constantsOf(layer.shape.channels, null, null, finish));
    const to = [this.at(pass.output), output.rowBytes, output.height, output.width, output.channels];
    return { kernel: "addCodes", args: [...args, ...to, constants, ...endsOf(finish)] };
  }

  #maxPool(pass: Pass, layer: PlainStep["layer"] & { op: "maxPool" }, codes: boolean): Step {
    const input = this.framed[pass.input.value], output = this.framed[pass.output];
    const to = [this.at(pass.output), output.rowBytes, output.height, output.width, output.channels];
    const from = [this.#window(pass), input.rowBytes], windows = [...layer.size, ...layer.strides];
    if (codes) return { kernel: "maxPoolCodes", args: [...from, ...windows, ...to] };
    const { height, width } = pass.input.shape;
    return { kernel: "pool", args: [...from, height, width, ...windows, 0, 0, ...to, 0] };
  }

  #mean({ input: { value }, output }: Pass, { grid }: PlainStep, codes: boolean): Step {
    const { rowBytes, height, width, channels } = this.framed[value], from = [this.at(value), rowBytes, height, width];
    if (codes) {
      const factor = Math.fround(grid!.scale / (height * width));
      return { kernel: "meanCodes", args: [...from, channels, this.at(output), grid!.zero, factor] };
    }
    const to = [this.at(output), 0, 1, 1, channels, 1];
    return { kernel: "pool", args: [...from, height, width, 1, 1, 0, 0, ...to] };
  }

  #dense({ input: { value }, output }: Pass, layer: PlainStep["layer"] & { op: "dense" }): Step {
    const input = this.framed[value],
      { channels: stored } = this.framed[output],
      { zero, channels } = this.network.values[value];
    const taps = input.height * input.width, columns = layer.shape.channels;
    const isRow = input.bytes === taps * input.pixelBytes;
    if (zero !== null || !isRow) throw new UncoveredGraphError("features in another layout", layer.name);
    const filter = this.#matrix(layer.kernel, taps, channels, input.channels, columns, FLOAT);
    const bias = this.addresses.vector(layer.bias, stored * FLOAT), one = this.addresses.rows(1, 0);
    const from = [this.at(value), one, 1, 0, taps * input.channels, filter, this.at(output), one];
    return { kernel: "convolveFused", args: [...from, stored, bias, 0, 0, 0, -Infinity, Infinity, 1, 1] };
  }

  /** Where the first window begins. */
  #window(pass: Pass): number {
    const { top, left } = before(pass);
    return this.at(pass.input.value, -top, -left);
  }

  #ends({ output }: Pass, { multiplier, offset, finish }: ConvolutionStep): number[] {
    const { channels } = this.network.values[output];
    return [this.addresses.vector(constantsOf(channels, multiplier, offset, finish)), ...endsOf(finish)];
  }

  #addend({ addend }: Pass, step: ConvolutionStep): { residual: number; zero: number; factor: number } {
    if (addend === null) return { residual: 0, zero: 0, factor: 0 };
    if (this.network.values[addend.value].zero === null) {
      throw new UncoveredGraphError("a float32 value that is added", step.layer.name);
    }
    return { residual: this.at(addend.value), zero: step.addend!.zero, factor: step.addend!.factor };
  }

  #matrix(
    values: Matrix["values"],
    taps: number,
    inner: number,
    stored: number,
    columns: number,
    bytes: number,
  ): number {
    const to = this.addresses.take(taps * stored * PANEL * Math.ceil(columns / PANEL) * bytes);
    this.matrices.push({ values, taps, inner, stored, columns, to });
    return to;
  }
}

function storedCodes({ stored }: Weight, { step: { layer } }: Pass): Uint8Array {
  if (stored !== undefined) return stored;
  throw new UncoveredGraphError("weights in whole numbers of 8 bits", layer.name);
}
