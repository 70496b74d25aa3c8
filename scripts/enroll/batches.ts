/** Collects items and hands them on in batches, one batch after the other. */
export interface Batches<T> {
  /** Resolves at once, or for the item that fills a batch when that and those before it are written. */
  add(item: T): Promise<void>;
  /** Writes what is left. */
  flush(): Promise<void>;
}

/**
 * @param size of a batch
 * @param write is called for all items of a batch at once; what it rejects with, so do `add` and `flush`
 */
export function batches<T>(size: number, write: (item: T) => Promise<void>): Batches<T> {
  let waiting: T[] = [];
  let written: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    const batch = waiting;
    waiting = [];
    written = written.then(() => Promise.all(batch.map(write)));
    await written;
  };
  return {
    add: async (item) => {
      if (waiting.push(item) >= size) await flush();
    },
    flush,
  };
}
