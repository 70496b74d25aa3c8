import assert from "node:assert/strict";
import { quantizeKernels } from "../../../../../trainer/export/int8/per_channel.ts";
import { graphOf } from "../../../../../trainer/export/fused.ts";
import { type Convolution, outChannels } from "../../../../../trainer/export/ir.ts";
import "../exported.ts";
import { mobileNet, withUnequalChannels } from "../networks.ts";

const graph = await graphOf(withUnequalChannels(mobileNet(17)));
const isConvolution = (node: { op: string }): node is Convolution => /Conv/.test(node.op);
const pairs = quantizeKernels(graph).nodes.filter(isConvolution).map((whole, i): [Convolution, Convolution] => [
  graph.nodes.filter(isConvolution)[i],
  whole,
]);

Deno.test("weights become whole numbers from -127 to 127, the largest of each channel 127 in magnitude", () => {
  for (const [, { kernel, scale, name }] of pairs) {
    const channels = scale!.values.length;
    const largest = new Array(channels).fill(0);
    kernel.values.forEach((value, i) => {
      assert.ok(Number.isInteger(value), name);
      largest[i % channels] = Math.max(largest[i % channels], Math.abs(value));
    });
    assert.ok(largest.every((value) => value === 127), `${name}: ${largest}`);
  }
});

Deno.test("each weight is off by half a step of its own channel at most, however unequal the channels are", () => {
  let [finest, coarsest] = [Infinity, 0];
  for (const [exact, whole] of pairs) {
    const channels = outChannels(exact), scales = whole.scale!.values;
    exact.kernel.values.forEach((value, i) => {
      const scale = scales[i % channels];
      assert.ok(Math.abs(whole.kernel.values[i] * scale - value) <= 0.5001 * scale);
    });
    [finest, coarsest] = [Math.min(finest, ...scales), Math.max(coarsest, ...scales)];
  }
  assert.ok(coarsest > 50 * finest, "the channels are too equal: the test says nothing");
});

Deno.test("biases are counted in steps of their channel's scale", () => {
  for (const [exact, whole] of pairs) {
    exact.bias?.values.forEach((value, i) => {
      const read = whole.bias!.values[i] * whole.scale!.values[i];
      assert.ok(Math.abs(read - value) <= 1e-6 * Math.abs(value));
    });
  }
});
