import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import { type LoggedEpoch, type LoggedStep, openRunLog, readRunLog } from "../../../../trainer/report/run_log.ts";

const stepRecord = (step: number): LoggedStep => ({
  step,
  loss: 1 / step,
  activeTripletShare: 0.5,
  meanPairwiseDistance: 1.25,
  embeddingNorm: 1,
  gradientNorm: 2 + step,
  learningRate: 1e-3,
  imagesPerSecond: 80,
  waitingShare: 0.125,
});
const epochRecord = (epoch: number, step: number): LoggedEpoch => ({
  epoch,
  step,
  loss: 0.25,
  activeTripletShare: 0.5,
  meanPairwiseDistance: 1.25,
  learningRate: 1e-3,
  valRecallAt1: 0.75,
});

Deno.test("readRunLog() gives back the steps and epochs that were logged", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [1, 2, 3]);
    assert.deepEqual(await readRunLog(directory), {
      steps: [stepRecord(1), stepRecord(2), stepRecord(3)],
      epochs: [epochRecord(1, 3)],
    });
  });
});

Deno.test("openRunLog() writes what was kept when an epoch ends, before it is closed", async () => {
  await withDirectory(async (directory) => {
    const log = await openRunLog(directory, { resumeFromStep: 0 });
    log.step(stepRecord(1));
    await log.epoch(epochRecord(1, 1));
    assert.equal((await readRunLog(directory)).steps.length, 1);
    assert.deepEqual((await scalarsOf(directory)).get("train/loss"), [[1, 1]]);
    await log.close();
  });
});

Deno.test("epochs that are not awaited are written whole, in their order, before the log is closed", async () => {
  await withDirectory(async (directory) => {
    const log = await openRunLog(directory, { resumeFromStep: 0 });
    for (let step = 1; step <= 50; step++) {
      log.step(stepRecord(step));
      log.epoch(epochRecord(step, step));
    }
    await log.close();
    const { epochs } = await readRunLog(directory);
    assert.deepEqual(epochs.map(({ step }) => step), Array.from({ length: 50 }, (_, i) => i + 1));
  });
});

Deno.test("openRunLog() cuts off the steps that a resumed run does again", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [1, 2, 3, 4]);
    await logSteps(directory, 2, [3]);
    const { steps, epochs } = await readRunLog(directory);
    assert.deepEqual(steps.map(({ step }) => step), [1, 2, 3]);
    assert.deepEqual(epochs.map(({ step }) => step), [3]);
  });
});

Deno.test("openRunLog() starts anew over the log of a run that left no checkpoint", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [1, 2]);
    await logSteps(directory, 0, [1]);
    assert.equal((await readRunLog(directory)).steps.length, 1);
  });
});

Deno.test("a resumed run adds an event file that sorts last and opens with the first step that is done again", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [1, 2, 3]);
    await logSteps(directory, 2, [3, 4]);
    const files = await eventFiles(directory);
    assert.equal(files.length, 2);
    const events = decodeFile(await Deno.readFile(`${directory}/${files[1]}`));
    assert.equal(events[0].fileVersion, "brain.Event:2");
    assert.deepEqual([events[1].sessionStatus, events[1].step], [1, 3]);
    assert.deepEqual(events.slice(2).map(({ step }) => step), [3, 4, 4]);
  });
});

Deno.test("the event file holds every scalar of a step and the recall of an epoch", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [4]);
    const scalars = await scalarsOf(directory);
    assert.deepEqual(Object.fromEntries([...scalars].map(([tag, values]) => [tag, values[0][1]])), {
      "train/loss": 0.25,
      "train/active_triplet_share": 0.5,
      "train/mean_pairwise_distance": 1.25,
      "train/embedding_norm": 1,
      "train/gradient_norm": 6,
      "train/learning_rate": Math.fround(1e-3),
      "train/images_per_second": 80,
      "train/waiting_share": 0.125,
      "val/recall_at_1": 0.75,
    });
  });
});

Deno.test("readRunLog() leaves out a last line that a crash tore, and openRunLog() goes on after it", async () => {
  await withDirectory(async (directory) => {
    await logSteps(directory, 0, [1, 2]);
    await Deno.writeTextFile(`${directory}/metrics.jsonl`, '{"type":"step","step":3,"lo', { append: true });
    assert.equal((await readRunLog(directory)).steps.length, 2);
    await logSteps(directory, 2, [3]);
    assert.deepEqual((await readRunLog(directory)).steps.map(({ step }) => step), [1, 2, 3]);
  });
});

Deno.test("readRunLog() refuses a log that is damaged in the middle, and says which line", async () => {
  await withDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/metrics.jsonl`, '{"type":"st\n{"type":"step","step":2}\n');
    await assert.rejects(
      readRunLog(directory),
      (error) => error instanceof DataError && /Line 1 of/.test(error.message),
    );
  });
});

Deno.test("readRunLog() finds nothing where there is no log", async () => {
  await withDirectory(async (directory) => {
    assert.deepEqual(await readRunLog(directory), { steps: [], epochs: [] });
  });
});

Deno.test("a figure that is not finite is read back as NaN", async () => {
  await withDirectory(async (directory) => {
    const log = await openRunLog(directory, { resumeFromStep: 0 });
    log.step({ ...stepRecord(1), gradientNorm: Infinity });
    await log.close();
    assert.equal((await readRunLog(directory)).steps[0].gradientNorm, NaN);
  });
});

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function logSteps(directory: string, resumeFromStep: number, steps: number[]): Promise<void> {
  const log = await openRunLog(directory, { resumeFromStep });
  for (const step of steps) log.step(stepRecord(step));
  await log.epoch(epochRecord(1, steps.at(-1)!));
  await log.close();
}

async function eventFiles(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(directory)) if (name.includes("tfevents")) names.push(name);
  return names.sort();
}

async function scalarsOf(directory: string): Promise<Map<string, [step: number, value: number][]>> {
  const scalars = new Map<string, [number, number][]>();
  for (const name of await eventFiles(directory)) {
    for (const { step, values } of decodeFile(await Deno.readFile(`${directory}/${name}`))) {
      for (const [tag, value] of values) scalars.set(tag, [...scalars.get(tag) ?? [], [step, value]]);
    }
  }
  return scalars;
}

interface DecodedEvent {
  step: number;
  fileVersion?: string;
  sessionStatus?: number;
  values: [tag: string, value: number][];
}

/** Reads the records of an event file; their checksums are checked against TensorBoard's bytes in `event_record_test.ts`. */
function decodeFile(bytes: Uint8Array): DecodedEvent[] {
  const events: DecodedEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(new DataView(bytes.buffer, at).getBigUint64(0, true));
    events.push(decodeEvent(bytes.slice(at + 12, at + 12 + length)));
    at += length + 16;
  }
  return events;
}

function decodeEvent(bytes: Uint8Array): DecodedEvent {
  const event: DecodedEvent = { step: 0, values: [] };
  for (const [field, value] of fieldsOf(bytes)) {
    if (field === 2) event.step = Number(value);
    if (field === 3) event.fileVersion = new TextDecoder().decode(value as Uint8Array);
    if (field === 5) {
      event.values = fieldsOf(value as Uint8Array).map(([, scalar]) => decodeScalar(scalar as Uint8Array));
    }
    if (field === 7) event.sessionStatus = Number(fieldsOf(value as Uint8Array)[0][1]);
  }
  return event;
}

function decodeScalar(bytes: Uint8Array): [string, number] {
  const [[, tag], [, value]] = fieldsOf(bytes);
  const float = value as Uint8Array;
  return [
    new TextDecoder().decode(tag as Uint8Array),
    new DataView(float.buffer, float.byteOffset).getFloat32(0, true),
  ];
}

function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = [];
  let at = 0;
  const varint = () => {
    let value = 0, scale = 1;
    for (;; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => bytes.subarray(at, at += length);
  while (at < bytes.length) {
    const key = varint(), wire = key % 8;
    fields.push([Math.floor(key / 8), wire === 0 ? varint() : take(wire === 1 ? 8 : wire === 5 ? 4 : varint())]);
  }
  return fields;
}
