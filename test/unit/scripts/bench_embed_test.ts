import assert from "node:assert/strict";
import { chooseNetworks, flopsOf, makeNetwork } from "../../../scripts/bench/embed/networks.ts";
import { Message } from "../../../scripts/bench/embed/protobuf.ts";
import { compare } from "../../../scripts/bench/embed/table.ts";
import { UsageError } from "../../../shared/errors.ts";

Deno.test("a message has the bytes of protobuf's own examples", () => {
  assert.deepEqual([...new Message().integer(1, 150).bytes()], [0x08, 0x96, 0x01]);
  assert.deepEqual([...new Message().field(2, "testing").bytes()], [0x12, 7, ...new TextEncoder().encode("testing")]);
  const inner = new Message().integer(1, 150);
  assert.deepEqual([...new Message().field(3, inner).bytes()], [0x1a, 3, 0x08, 0x96, 0x01]);
});

Deno.test("a message writes negative integers in ten bytes, and floats in four", () => {
  assert.deepEqual([...new Message().integer(1, -2).bytes()], [0x08, 0xfe, ...new Array(8).fill(0xff), 1]);
  assert.deepEqual([...new Message().float(1, 1.5).bytes()], [0x0d, 0, 0, 0xc0, 0x3f]);
});

Deno.test("the floating-point operations of the bundled model are those of EfficientNet-Lite0 at its size", async () => {
  const { float32: files } = await makeNetwork("bundled");
  // 0.385 x 10^9 multiplications at 224 x 224 pixels, without the classifier (Google's table of EfficientNet-Lite).
  const share = (files.input.height / 224) ** 2;
  assert.ok(Math.abs(flopsOf(files) / (2 * 0.385e9 * share) - 1) < 0.05);
});

Deno.test("the table says how many times as fast as tfjs an engine was on the same network", () => {
  const of = (network: string, engine: string, milliseconds: number) => ({
    network,
    engine,
    milliseconds,
    gigaflops: 1,
  });
  const figures = compare(
    [of("a", "plan", 2), of("a", "tfjs", 5), of("b", "tfjs", 9)],
    { float32: 4, int8: 8 },
    new Map([["plan", 7]]),
  );
  assert.deepEqual(figures.map(({ toTfjs }) => toTfjs), [2.5, 1, 1]);
  assert.deepEqual([figures[0].shipped, figures[0].shareOfPeak], [7, 0.25]);
});

Deno.test("a network that is not there is refused with the names of those that are", () => {
  assert.throws(
    () => chooseNetworks("vgg"),
    (error) => error instanceof UsageError && /resnet18-112/.test(error.message),
  );
});
