import { workerData } from "node:worker_threads";
import { JobBoard, type KernelExports, type ThreadStart } from "./job.ts";

const { module, memory, board, thread } = workerData as ThreadStart;
const instance = new WebAssembly.Instance(module, { env: { memory } });
new JobBoard(board).help(instance.exports as unknown as KernelExports, thread);
