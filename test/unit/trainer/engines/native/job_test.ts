import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { JobBoard, type KernelExports, MAX_CHUNKS } from "../../../../../trainer/engines/wasm/native/job.ts";

const JOB = new URL("../../../../../trainer/engines/wasm/native/job.ts", import.meta.url);

/** Kernels that count in shared memory how often each unit was done, and by which thread. */
const COUNTING = `(counts) => new Proxy({}, { get: (_, name) => (add, first, last, thread) => {
  for (let i = first; i < last; i++) Atomics.add(counts, i, name === "relu" ? add : 1000);
  Atomics.add(counts, counts.length - 1 - thread, last - first);
} })`;
const counting = new Function(`return ${COUNTING}`)() as (counts: Int32Array) => KernelExports;

/** A thread that helps at a board. */
function startHelper(board: JobBoard, counts: Int32Array<SharedArrayBuffer>): Worker {
  const program = `
    import { workerData } from "node:worker_threads";
    import { JobBoard } from ${JSON.stringify(JOB.href)};
    new JobBoard(workerData.board).help((${COUNTING})(new Int32Array(workerData.counts)), 1);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const helper = new Worker(url, { workerData: { board: board.buffer, counts: counts.buffer } });
  helper.unref();
  return helper;
}

function sharedCounts(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

Deno.test("a job is done by the thread that posts it where no other helps", () => {
  const counts = sharedCounts(12);
  JobBoard.create().work(counting(counts), "relu", [7], 10, 3);
  assert.deepEqual([...counts.subarray(0, 10)], Array(10).fill(7));
});

Deno.test("every unit of every job is done once, whoever does it, and both threads do some", async () => {
  const units = 1000, jobs = 3000, counts = sharedCounts(units + 2);
  const board = JobBoard.create(), helper = startHelper(board, counts), kernels = counting(counts);
  let expected = 0;
  for (let job = 1; job <= jobs || counts[units] === 0; job++) {
    const chunk = Math.max(Math.ceil(units / MAX_CHUNKS), job % 300);
    board.work(kernels, job % 2 ? "relu" : "frame", [job % 5], units, chunk);
    expected += job % 2 ? job % 5 : 1000;
    const wrong = counts.subarray(0, units).findIndex((count) => count !== expected);
    assert.equal(wrong, -1, `job ${job} left unit ${wrong} at ${counts[wrong]}, not ${expected}`);
    // The helper starts when it starts: at the latest when there is time.
    if (job > jobs) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(counts[units] > 0 && counts[units + 1] > 0);
  helper.ref();
  const gone = new Promise((resolve) => helper.on("exit", resolve));
  board.dismiss();
  await gone;
});
