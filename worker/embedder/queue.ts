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

/** Runs one piece of work at a time, in order of arrival. */
export interface Queue {
  /** @throws {OverloadedError} at once, if the queue is full */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** How many run or wait. */
  depth(): number;
}

/**
 * @param limit how many may wait while one runs
 * @param breathe what happens between two pieces of work: computing blocks the event loop, so by default requests and refusals
 * get their turn
 */
export function createQueue(limit: number, breathe: () => Promise<void> = nextTurn): Queue {
  let admitted = 0;
  let last: Promise<unknown> = Promise.resolve();
  return {
    depth: () => admitted,
    run<T>(work: () => Promise<T>): Promise<T> {
      if (admitted > limit) return Promise.reject(new OverloadedError());
      admitted++;
      const mine = last.then(work).finally(() => admitted--);
      last = mine.then(breathe, breathe);
      return mine;
    },
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
