/**
 * The kernels of `shared/kernels`. Their last parameters say which part of the work to do, from the first unit to before the last, and, where
 * they need memory of their own, by which thread.
 */
export const KERNELS = [
  "adamStep",
  "channelSums",
  "combineChannels",
  "convolve",
  "depthwise",
  "depthwiseFilterGradient",
  "filterGradient",
  "frame",
  "gradientSums",
  "joinWinogradSums",
  "maxPoolGradient",
  "packColumns",
  "packExchanged",
  "preluGradient",
  "relu",
  "reluGradient",
  "scaleChannels",
  "sgdStep",
  "squaredSums",
  "tabulate",
  "unpackSums",
  "winograd",
  "winogradFilter",
  "winogradSums",
] as const;

/** One of {@link KERNELS}. */
export type KernelName = typeof KERNELS[number];

/** An instance of the kernels. */
export type KernelExports = Record<KernelName, (...args: number[]) => void>;

/** What a thread starts with. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  board: SharedArrayBuffer;
  /** Its number, from 1. */
  thread: number;
}

/** Parts that a job can have at most. */
export const MAX_CHUNKS = 255;
const MAX_ARGS = 20;
/** How often a waiting thread looks before it sleeps: some tens of microseconds. */
const LOOKS = 20_000;
/** In the place of the number of a job: there will be no more. */
const DISMISSED = -1;
/** A ticket is the number of a job, and the next of its chunks in the low bits. */
const CHUNK_BITS = 8;

/**
 * Where one thread writes the job that all work at, in a memory that they share. Whoever is free takes the next chunk; a thread that
 * comes late finds none left.
 */
export class JobBoard {
  /** Incremented with every job: what idle threads wait on. */
  static readonly #POSTED = 0;
  static readonly #TICKET = 1;
  static readonly #DONE = 2;
  static readonly #KERNEL = 3;
  static readonly #ARGS = 4;
  static readonly #UNITS = 5;
  static readonly #CHUNK = 6;
  static readonly #CHUNKS = 7;
  static readonly #FIELDS = 8;
  readonly #fields: Int32Array<SharedArrayBuffer>;
  readonly #args: Float64Array<SharedArrayBuffer>;

  /** @param buffer of {@link JobBoard.create}, here or on another thread */
  constructor(readonly buffer: SharedArrayBuffer) {
    this.#fields = new Int32Array(buffer, 0, JobBoard.#FIELDS);
    this.#args = new Float64Array(buffer, JobBoard.#FIELDS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** An empty board. */
  static create(): JobBoard {
    const bytes = JobBoard.#FIELDS * Int32Array.BYTES_PER_ELEMENT + MAX_ARGS * Float64Array.BYTES_PER_ELEMENT;
    return new JobBoard(new SharedArrayBuffer(bytes));
  }

  /**
   * Does a job together with whoever waits at the board; by the one thread that posts jobs, one after the other.
   *
   * @param chunk units that are done in one go
   */
  work(kernels: KernelExports, kernel: KernelName, args: number[], units: number, chunk: number): void {
    const fields = this.#fields;
    const job = (fields[JobBoard.#POSTED] + 1) & 0x7fffff;
    // While it is written, the job has no chunks to take.
    Atomics.store(fields, JobBoard.#TICKET, job << CHUNK_BITS | MAX_CHUNKS);
    fields[JobBoard.#KERNEL] = KERNELS.indexOf(kernel);
    fields[JobBoard.#ARGS] = args.length;
    fields[JobBoard.#UNITS] = units;
    fields[JobBoard.#CHUNK] = chunk;
    const chunks = fields[JobBoard.#CHUNKS] = Math.ceil(units / chunk);
    this.#args.set(args);
    Atomics.store(fields, JobBoard.#DONE, 0);
    Atomics.store(fields, JobBoard.#TICKET, job << CHUNK_BITS);
    Atomics.store(fields, JobBoard.#POSTED, job);
    Atomics.notify(fields, JobBoard.#POSTED);
    this.#takeChunks(kernels, 0);
    for (let done; (done = Atomics.load(fields, JobBoard.#DONE)) < chunks;) {
      this.#waitWhile(JobBoard.#DONE, done);
    }
  }

  /** Sends those away who help, for good. */
  dismiss(): void {
    Atomics.store(this.#fields, JobBoard.#POSTED, DISMISSED);
    Atomics.notify(this.#fields, JobBoard.#POSTED);
  }

  /**
   * Helps with every job that comes, until it is sent away.
   *
   * @param thread the number of this thread, from 1: 0 is the one that posts the jobs
   */
  help(kernels: KernelExports, thread: number): void {
    for (let seen = 0; seen !== DISMISSED; seen = Atomics.load(this.#fields, JobBoard.#POSTED)) {
      this.#takeChunks(kernels, thread);
      this.#waitWhile(JobBoard.#POSTED, seen);
    }
  }

  /** Looks for a moment before it sleeps: to be woken takes longer than most waits within a step. */
  #waitWhile(field: number, value: number): void {
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(this.#fields, field) !== value) return;
    Atomics.wait(this.#fields, field, value);
  }

  #takeChunks(kernels: KernelExports, thread: number): void {
    const fields = this.#fields;
    let ticket = Atomics.load(fields, JobBoard.#TICKET);
    const job = ticket >> CHUNK_BITS;
    const kernel = kernels[KERNELS[fields[JobBoard.#KERNEL]]];
    const args = Array.from(this.#args.subarray(0, fields[JobBoard.#ARGS]));
    const units = fields[JobBoard.#UNITS], chunk = fields[JobBoard.#CHUNK], chunks = fields[JobBoard.#CHUNKS];
    while (true) {
      const next = ticket & MAX_CHUNKS;
      // What was read above may be of two jobs; then the ticket has changed, and no chunk is taken.
      if (next >= chunks || ticket >> CHUNK_BITS !== job) return;
      const before = Atomics.compareExchange(fields, JobBoard.#TICKET, ticket, ticket + 1);
      if (before === ticket) {
        kernel(...args, next * chunk, Math.min(units, (next + 1) * chunk), thread);
        Atomics.add(fields, JobBoard.#DONE, 1);
        Atomics.notify(fields, JobBoard.#DONE);
      }
      ticket = Atomics.load(fields, JobBoard.#TICKET);
    }
  }
}
