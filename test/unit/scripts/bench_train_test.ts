import assert from "node:assert/strict";
import { main } from "../../../scripts/bench.ts";
import { linesOf } from "../../../scripts/bench/lines.ts";
import { benchmark } from "../../../scripts/bench/train.ts";
import { chooseNetworks, NETWORKS } from "../../../scripts/bench/train/networks.ts";
import { ProcessFailed } from "../../../scripts/bench/process.ts";
import { Prepared, Timed, trainingProcess } from "../../../scripts/bench/train/protocol.ts";
import { compare, type Figure, type Measured, peaksOf, trainTable } from "../../../scripts/bench/train/table.ts";

const silent = { info() {}, warn() {}, progress: () => ({ update() {}, done() {} }) };
const wasm = () =>
  trainingProcess({
    program: Deno.execPath(),
    args: ["run", "--allow-all", "scripts/bench/train/child.ts", "wasm", "1"],
  });
const python = { program: "python3", env: { PYTHONDONTWRITEBYTECODE: "1" } };
const torch = () => trainingProcess({ ...python, args: ["scripts/bench/train/torch_child.py", "cpu", "1"] });

Deno.test("a network that an engine cannot hold gets a row with the reason, and the others are measured", async () => {
  const values = {
    ...{ engines: "wasm,torch", networks: "efficientnet-lite0-160,thin-resnet-64", batches: "112", threads: "1,2" },
    ...{ steps: "1", rounds: "1", python: "/no/python" },
  };
  const { figures, table } = await benchmark.run(values, silent);
  const { training, missing } = figures as { training: Figure[]; missing: string[] };
  assert.deepEqual(training.map(({ network, threads }) => `${network} ${threads}`), [
    ...["efficientnet-lite0-160 1", "efficientnet-lite0-160 2", "thin-resnet-64 1", "thin-resnet-64 2"],
  ]);
  for (const { network, reason, imagesPerSecond, gigaflops, shareOfPeak } of training) {
    if (network === "thin-resnet-64") {
      assert(imagesPerSecond! > 0 && shareOfPeak! > 0);
      assert.equal(Math.round(gigaflops! * 1e9 / imagesPerSecond!), THIN_RESNET_FLOPS);
    } else {
      assert.match(
        reason!,
        /^A step takes about \d+\.\d GB of memory, and wasm holds \d+\.\d GB: a batch of \d+ would/,
      );
      assert(table.includes(`: ${reason}`));
    }
  }
  assert.equal(missing.length, 1);
  assert.match(missing[0], /^torch is not measured: \/no\/python cannot be started/);
  assert(table.endsWith(missing[0]));
});

/** Kernel, filters before and after, and positions of each convolution but the first, and of the dense layer. */
const THIN_RESNET = [
  ...[[9, 24, 24, 32 * 32], [9, 24, 24, 32 * 32]],
  ...[[9, 24, 48, 16 * 16], [9, 48, 48, 16 * 16], [1, 24, 48, 16 * 16]],
  ...[[9, 48, 96, 8 * 8], [9, 96, 96, 8 * 8], [1, 48, 96, 8 * 8], [1, 96, 128, 1]],
];
const THIN_RESNET_FLOPS = 2 * 2 * 9 * 3 * 24 * 32 * 32 +
  3 * 2 * THIN_RESNET.map((lengths) => lengths.reduce((a, b) => a * b)).reduce((a, b) => a + b);

Deno.test("a process that is killed says so, and is started again for the next request", async () => {
  const program = `
    console.log(JSON.stringify({ device: "any", gpu: false }));
    for await (const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      if (line.includes("train")) Deno.kill(Deno.pid, "SIGKILL");
      console.log(JSON.stringify({ seconds: 1 }));
    }`;
  const mortal = trainingProcess({ program: Deno.execPath(), args: ["eval", program] });
  assert.deepEqual(await mortal.start(), { device: "any", gpu: false });
  await assert.rejects(
    mortal.ask({ do: "train", steps: 1 }, Timed),
    (error) => error instanceof ProcessFailed && /^It was killed, .* memory/.test(error.message),
  );
  assert.deepEqual(await mortal.ask({ do: "multiply", size: 8, times: 1 }, Timed), { seconds: 1 });
  await mortal.stop();
});

Deno.test("a process that ends by itself is quoted", async () => {
  const hasty = trainingProcess({
    program: Deno.execPath(),
    args: ["eval", "console.error('no luck'); Deno.exit(3)"],
  });
  await assert.rejects(hasty.start(), /^ProcessFailed: It ended with status 3: no luck$/);
});

const noTorch = await torchIsMissing();
Deno.test({
  name: `PyTorch's networks have as many parameters and operations as the trainer's${
    noTorch && ` (not tested: ${noTorch})`
  }`,
  ignore: noTorch !== "",
  async fn() {
    const processes = [wasm(), torch()];
    for (const { backbone, pixels } of NETWORKS) {
      const request = { do: "prepare", backbone, pixels, batch: 8 } as const;
      const [ours, theirs] = await Promise.all(processes.map((process) => process.ask(request, Prepared)));
      assert.deepEqual(theirs, ours, backbone);
    }
    await Promise.all(processes.map((process) => process.stop()));
  },
});

Deno.test({
  name: `PyTorch trains, and multiplies matrices${noTorch && ` (not tested: ${noTorch})`}`,
  ignore: noTorch !== "",
  async fn() {
    const process = torch();
    await process.ask({ do: "prepare", backbone: "thin-resnet", pixels: 64, batch: 8 }, Prepared);
    await process.ask({ do: "train", steps: 2 }, Timed);
    await process.ask({ do: "multiply", size: 64, times: 2 }, Timed);
    await process.stop();
  },
});

/** @returns why; nothing if it is there */
async function torchIsMissing(): Promise<string> {
  const process = torch();
  try {
    await process.start();
    await process.stop();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const measured = (engine: string, threads: number | undefined, imagesPerSecond: number): Measured => ({
  ...{ network: "net", batch: 32, engine, threads, device: "any", imagesPerSecond, gigaflops: imagesPerSecond / 10 },
});

Deno.test("each speed is set beside the peak, PyTorch and node with as many threads, or on the GPU", () => {
  const peaks = peaksOf([
    { engine: "wasm", threads: 1, gigaflops: 40 },
    { engine: "torch", threads: 1, gigaflops: 100 },
    { engine: "wasm", threads: 2, gigaflops: 80 },
    { engine: "torch-cuda", threads: undefined, gigaflops: 50_000 },
  ]);
  assert.deepEqual(peaks.map(({ engine, threads }) => [engine, threads]), [
    ...[["torch", 1], ["wasm", 2], ["torch-cuda", undefined]],
  ]);
  const figures = compare([
    ...[measured("node", 1, 100), measured("wasm", 1, 50), measured("wasm", 2, 80), measured("torch", 1, 500)],
    ...[measured("webgpu", undefined, 1000), measured("torch-cuda", undefined, 4000)],
    { ...measured("wasm", 1, 8), network: "other" },
  ], peaks);
  assert.deepEqual(figures.map(({ shareOfPeak, toTorch, toNode }) => [shareOfPeak, toTorch, toNode]), [
    ...[[0.1, 0.2, 1], [0.05, 0.1, 0.5], [0.1, undefined, undefined], [0.5, 1, 5]],
    ...[[0.002, 0.25, undefined], [0.008, 1, undefined], [0.008, undefined, undefined]],
  ]);
});

Deno.test("the table has a block for every network and batch, and the columns that have something in them", () => {
  const { imagesPerSecond: _, gigaflops: __, ...failed } = measured("node", 1, 0);
  const table = trainTable([
    ...[{ ...measured("wasm", 1, 50), shareOfPeak: 0.05 }, { ...failed, reason: "It was killed." }],
    { ...measured("cuda", undefined, 800), batch: 64, shareOfPeak: 0.5 },
  ]);
  assert.equal(
    table,
    `
net, batch 32     images/s  GFLOP/s  of peak
  wasm, 1 thread      50.0      5.0     5.0%
  node, 1 thread: It was killed.

net, batch 64     images/s  GFLOP/s  of peak
  cuda               800.0     80.0    50.0%`.slice(1),
  );
});

Deno.test("networks are chosen by how many or by name", () => {
  assert.equal(chooseNetworks(undefined), NETWORKS);
  assert.deepEqual(chooseNetworks("2").map(({ name }) => name), ["thin-resnet-64", "resnet18-64"]);
  assert.deepEqual(chooseNetworks("resnet50-112,thin-resnet-64").map(({ backbone }) => backbone), [
    ...["resnet50", "thin-resnet"],
  ]);
});

Deno.test("the command refuses engines, networks and numbers that there are not, with exit status 2", async () => {
  const out = `${await Deno.makeTempDir({ prefix: "triptych-bench-" })}/results.json`;
  for (
    const wrong of [
      ["--engines", "nope"],
      ["--networks", "6"],
      ["--networks", "vgg"],
      ["--batches", "8,x"],
      [
        ...["--steps", "1,2"],
      ],
      ["--rounds", "0"],
      ["--engines", "wasm", "--threads", "99"],
    ]
  ) {
    assert.equal(await main(["train", ...wrong, "--out", out]), 2, wrong.join(" "));
  }
  await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
});

Deno.test("linesOf() gives each line as soon as it has ended", async () => {
  const parts = ["a", "b\nc\n", "\nd"].map((text) => new TextEncoder().encode(text));
  assert.deepEqual(await Array.fromAsync(linesOf(ReadableStream.from(parts))), ["ab", "c", ""]);
});
