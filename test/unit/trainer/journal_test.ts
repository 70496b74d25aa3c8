import assert from "node:assert/strict";
import { openJournal } from "../../../trainer/journal.ts";
import type { Reporter } from "../../../trainer/report/progress.ts";
import { readRunLog } from "../../../trainer/report/run_log.ts";

const step = (step: number) => ({
  ...{ step, loss: 0.25, activeTripletShare: 0.5, meanPairwiseDistance: 1, embeddingNorm: 2, gradientNorm: 3 },
  ...{ hasTriplets: true, learningRate: 1e-3, images: 8 },
});
const epoch = (step: number) => ({
  ...{ epoch: 1, step, loss: 0.25, activeTripletShare: 0.5, meanPairwiseDistance: 1, embeddingNorm: 2 },
  ...{ gradientNorm: 3, learningRate: 1e-3 },
});

/** A reporter that keeps what it is told. */
function listener() {
  const said: string[] = [], bars: string[] = [], warned: string[] = [];
  const reporter: Reporter = {
    info: (line) => void said.push(line),
    warn: (line) => void warned.push(line),
    progress: (label, total) => ({
      update: (done, details) => void bars.push(`${label} ${done}/${total} ${details}`),
      done: () => void bars.push("done"),
    }),
  };
  return { reporter, bars, warned };
}

async function opened(startStep: number, seconds: number, out?: string) {
  const heard = listener();
  const directory = out ?? await Deno.makeTempDir();
  const journal = await openJournal({ out: directory, reporter: heard.reporter, totalSteps: 10, startStep, seconds });
  return { ...heard, journal, directory };
}

Deno.test("a journal tells of every step on the bar and in the log, with the last recall", async () => {
  const { journal, bars, directory } = await opened(0, 0);
  journal.begin();
  journal.step(step(1), 0);
  await journal.epoch({ ...epoch(1), valRecallAt1: 0.75 });
  journal.step(step(2), 0);
  journal.end();
  await journal.close();
  assert.match(bars[0], /^Training 1\/10 loss 0\.2500 {2}active triplets 50% {2}\d+ images\/s {2}waiting for data 0%$/);
  assert.match(bars[1], /^Training 2\/10 loss 0\.2500 .* val recall@1 0\.750$/);
  assert.equal(bars[2], "done");
  const { steps, epochs } = await readRunLog(directory);
  assert.deepEqual(steps.map((record) => [record.step, record.gradientNorm]), [[1, 3], [2, 3]]);
  assert.deepEqual(epochs.map(({ valRecallAt1 }) => valRecallAt1), [0.75]);
});

Deno.test("a journal that is opened at an earlier step forgets the later ones", async () => {
  const { journal, directory } = await opened(0, 0);
  journal.begin();
  for (let done = 1; done <= 3; done++) journal.step(step(done), 0);
  journal.end();
  await journal.close();
  const again = await opened(2, 0, directory);
  await again.journal.close();
  assert.deepEqual((await readRunLog(directory)).steps.map((record) => record.step), [1, 2]);
});

Deno.test("a journal counts the seconds of training alone, on top of those before", async () => {
  const { journal } = await opened(4, 100);
  assert.equal(journal.seconds(), 100);
  journal.begin();
  await new Promise((resolve) => setTimeout(resolve, 5));
  journal.end();
  const counted = journal.seconds();
  assert.ok(counted > 100);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(journal.seconds(), counted, "the pause is not counted");
  await journal.close();
});

Deno.test("a journal says at its end how many batches taught nothing, if some did", async () => {
  const { journal, warned } = await opened(0, 0);
  journal.skip();
  journal.skip();
  await journal.close();
  assert.equal(warned.length, 1);
  assert.match(warned[0], /^2 batches .*sampler=pk\.$/);
  const other = await opened(0, 0);
  await other.journal.close();
  assert.deepEqual(other.warned, []);
});
