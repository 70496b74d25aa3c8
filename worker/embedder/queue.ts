import { TriptychError } from "../../shared/errors.ts";

/** More waits already than is let wait. */
export class OverloadedError extends TriptychError {
  override readonly name = "OverloadedError";
  /** Seconds after which there should be room again. */
  readonly retryAfter = 1;
  constructor() {
    super("The worker has more to do than it takes on; try again in a second.");
  }
}

/** The client went away before its turn came: nobody reads the answer. */
export class ClientGoneError extends TriptychError {
  override readonly name = "ClientGoneError";
  constructor() {
    super("The client went away before its image had its turn.");
  }
}

/** Runs so many pieces of work at a time, in order of arrival. */
export interface Queue {
  /**
   * @param signal of the client: what still waits when it aborts gives up its place
   * @throws {OverloadedError} at once if the queue is full, later if the turn does not come in time
   * @throws {ClientGoneError} if the signal aborted before the turn came
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws {OverloadedError} if the queue is full */
  assertRoom(): void;
  /** How many run or wait. */
  depth(): number;
}

/** What a queue lets run and wait. */
export interface QueueOptions {
  /** How many may wait. */
  limit: number;
  /** How many run at a time; default 1. */
  width?: number;
  /** How long one may wait, milliseconds; default for ever. */
  patience?: number | undefined;
  /**
   * What happens between two pieces of work: computing blocks the event loop, so by default requests and refusals get their
   * turn.
   */
  breathe?: (() => Promise<void>) | undefined;
}

/** An empty queue. */
export function createQueue({ limit, width = 1, patience, breathe = nextTurn }: QueueOptions): Queue {
  let admitted = 0, free = width;
  const waiting = new Set<() => void>();
  async function pass(): Promise<void> {
    await breathe();
    const [enter] = waiting;
    if (enter === undefined) free++;
    else enter();
  }
  function assertRoom(): void {
    if (admitted >= width + limit) throw new OverloadedError();
  }
  return {
    assertRoom,
    depth: () => admitted,
    async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      if (signal?.aborted) throw new ClientGoneError();
      assertRoom();
      admitted++;
      try {
        if (free > 0) free--;
        else await turn(waiting, patience, signal);
        try {
          return await work();
        } finally {
          pass();
        }
      } finally {
        admitted--;
      }
    },
  };
}

/**
 * Waits until the function that it puts last among those that wait is called.
 *
 * @throws {OverloadedError} if that does not happen within the patience, milliseconds
 * @throws {ClientGoneError} if the signal aborts before
 */
export function turn(waiting: Set<() => void>, patience?: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = patience === undefined ? undefined : setTimeout(() => leave(new OverloadedError()), patience);
    const onAbort = () => leave(new ClientGoneError());
    const end = () => {
      waiting.delete(enter);
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const enter = () => (end(), resolve());
    const leave = (error: Error) => (end(), reject(error));
    waiting.add(enter);
    signal?.addEventListener("abort", onAbort);
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
