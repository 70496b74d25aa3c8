import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import type { Augmentation } from "../../../../trainer/data/augment.ts";
import { type Batch, trainingBatches } from "../../../../trainer/data/batches.ts";
import type { Photo } from "../../../../trainer/data/photos.ts";
import { defaultThreads, prefetchBatches } from "../../../../trainer/data/prefetch.ts";
import { sharePhotos } from "../../../../trainer/data/shared_photos.ts";
import { permutation, randomStream } from "../../../../trainer/random.ts";

const INPUT: InputSpec = { height: 12, width: 10, channels: 3, fit: "cover", mean: [0.5, 0.4, 0.3], std: [1, 2, 3] };
const EVERYTHING: Augmentation = {
  ...{ minCropArea: 0.3, flip: true, brightness: 0.4, contrast: 0.3, saturation: 0.2 },
  ...{ hue: 0.1, grey: 0.2, blur: 0.5, cutout: 0.3 },
};
const SETTINGS = { input: INPUT, augmentation: EVERYTHING, seed: 5 };
const photos: Photo[] = Array.from({ length: 12 }, (_, i) => {
  const random = randomStream(i), width = 20 + i, height = 30 - i;
  const data = new Uint8ClampedArray(4 * width * height).map((_, j) => j % 4 === 3 ? 255 : Math.floor(256 * random()));
  return { identity: `${i % 4}`, image: { width, height, data } };
});
const sampler = (step: number) => permutation(12, randomStream(3, step)).slice(0, 5);
const made = trainingBatches(photos, INPUT, sampler, EVERYTHING, 5);

for (const threads of [0, 1, 3]) {
  Deno.test(`prefetchBatches() with ${threads} threads equals trainingBatches() to the bit, in any order of steps`, async () => {
    const batches = prefetchBatches({ photos, sampler, threads, ...SETTINGS });
    try {
      for (const step of [0, 1, 2, 3, 7, 8, 4, 4, 5]) assert.deepEqual(await batches.at(step, 9), await made(step));
    } finally {
      batches.close();
    }
  });
}

Deno.test("prefetchBatches() makes the batches after the one that is asked for, and none at `until` or past it", async () => {
  const asked: number[] = [];
  const batches = prefetchBatches({
    photos,
    sampler: (step) => {
      asked.push(step);
      return sampler(step);
    },
    threads: 1,
    ...SETTINGS,
  });
  try {
    await batches.at(0, 10);
    assert.deepEqual(asked, [0, 1, 2]);
    await batches.at(1, 3);
    assert.deepEqual(asked, [0, 1, 2]);
    await batches.at(2, 3);
    assert.deepEqual(asked, [0, 1, 2]);
    await batches.at(3, 10);
    assert.deepEqual(asked, [0, 1, 2, 3, 4, 5]);
  } finally {
    batches.close();
  }
});

Deno.test("prefetchBatches() takes up a sampler that has changed at `until`", async () => {
  let rows = [0, 1];
  const batches = prefetchBatches({ photos, sampler: () => rows, threads: 2, ...SETTINGS });
  try {
    await batches.at(0, 2);
    await batches.at(1, 2);
    rows = [4, 5, 6];
    assert.deepEqual(await batches.at(2, 4), await trainingBatches(photos, INPUT, () => rows, EVERYTHING, 5)(2));
  } finally {
    batches.close();
  }
});

Deno.test("prefetchBatches() measures how long its callers wait, and not how long they work", async () => {
  const batches = prefetchBatches({ photos, sampler, threads: 1, ...SETTINGS });
  try {
    assert.equal(batches.waitedMs(), 0);
    const from = performance.now();
    await batches.at(0, 3);
    const waited = batches.waitedMs();
    assert(waited > 0 && waited <= performance.now() - from, `${waited} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(batches.waitedMs(), waited);
    await batches.at(1, 3);
    assert(batches.waitedMs() < waited + 50, `${batches.waitedMs()} ms after ${waited} ms`);
  } finally {
    batches.close();
  }
});

for (const threads of [0, 1]) {
  Deno.test(`prefetchBatches() with ${threads} threads rejects the step that cannot be made, and makes the next`, async () => {
    const batches = prefetchBatches({
      photos,
      sampler: (step) => {
        if (step === 2) throw new RangeError("No such step.");
        return step === 1 ? [99] : sampler(step);
      },
      threads,
      ...SETTINGS,
    });
    try {
      assert.deepEqual(await batches.at(0, 9), await made(0));
      await assert.rejects(batches.at(1, 9), TypeError);
      await assert.rejects(batches.at(2, 9), { name: "RangeError", message: "No such step." });
      assert.deepEqual(await batches.at(3, 9), await made(3));
    } finally {
      batches.close();
    }
  });
}

Deno.test("prefetchBatches() that are closed reject who waits and who asks later", async () => {
  const batches = prefetchBatches({ photos, sampler, threads: 1, ...SETTINGS });
  const waits: Promise<Batch> = batches.at(0, 9);
  const rejected = assert.rejects(waits, /closed/);
  batches.close();
  await rejected;
  await assert.rejects(batches.at(1, 9), /closed/);
  batches.close();
});

Deno.test("prefetchBatches() that nobody closes do not hide the end of a run that fails", async () => {
  const { code, stderr } = await run(`${PROGRAM} await batches.at(0, 9); throw new Error("full disk");`);
  assert.equal(code, 1);
  assert.match(stderr, /full disk/);
});

Deno.test("prefetchBatches() work beside the engine's threads, with a task's permissions, and let the process end", async () => {
  const { code, stdout, stderr } = await run(`
    import { createWasmEngine } from "${import.meta.resolve("../../../../trainer/engines/wasm/mod.ts")}";
    await createWasmEngine(2).start();
    ${PROGRAM} console.log((await batches.at(0, 9)).shape.join()); batches.close();
  `);
  assert.deepEqual({ code, stdout: stdout.trim() }, { code: 0, stdout: "2,8,8,3" }, stderr);
});

Deno.test("prefetchBatches() whose thread ends reject with the reason, now and later", async () => {
  const { code, stdout, stderr } = await run(
    `${PROGRAM} for (const step of [0, 1]) await batches.at(step, 9).catch((error) => console.log(error.message));
    batches.close();`,
    // Enough for the thread to start, and not for what it imports.
    [`read=${new URL("../../../../trainer/data/view_worker.ts", import.meta.url).pathname}`],
  );
  assert.equal(code, 0, stderr);
  const [now, later] = stdout.split("\n").filter((line) => line.startsWith("A thread"));
  assert.match(now, /^A thread that makes batches has ended: Requires read access/);
  assert.equal(later, now);
});

const PROGRAM = `
  import { prefetchBatches } from "${import.meta.resolve("../../../../trainer/data/prefetch.ts")}";
  const image = { width: 9, height: 9, data: new Uint8ClampedArray(324) };
  const input = { height: 8, width: 8, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] };
  const none = { minCropArea: 1, flip: false, brightness: 0, contrast: 0, saturation: 0, hue: 0, grey: 0, blur: 0, cutout: 0 };
  const photos = [{ identity: "a", image }, { identity: "b", image }];
  const batches = prefetchBatches({ photos, input, sampler: () => [0, 1], augmentation: none, seed: 1, threads: 1 });
`;

async function run(
  program: string,
  permissions = ["read", "write", "env", "net", "sys"],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-prompt",
        "--config",
        "deno.json",
        ...permissions.map((name) => `--allow-${name}`),
        path,
      ],
      signal: AbortSignal.timeout(20_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("sharePhotos() keeps the pixels, in one memory, and copies what is shared already no more", () => {
  const shared = sharePhotos(photos);
  assert.deepEqual(shared.map((photo) => [...photo.image.data]), photos.map((photo) => [...photo.image.data]));
  assert.deepEqual(shared.map(({ identity, image }) => [identity, image.width, image.height]), [
    ...photos.map(({ identity, image }) => [identity, image.width, image.height]),
  ]);
  assert.equal(new Set(shared.map((photo) => photo.image.data.buffer)).size, 1);
  assert(shared[0].image.data.buffer instanceof SharedArrayBuffer);
  assert.equal(sharePhotos(shared), shared);
});

Deno.test("defaultThreads() leaves a lone processor to the engine and does not take more than four", () => {
  assert.deepEqual([1, 2, 4, 6, 64].map(defaultThreads), [0, 1, 1, 2, 4]);
});
