/** What changes are made on: it can undo, and it can be made durable. */
export interface Committable {
  /** A point to undo to. */
  readonly mark: number;
  undoTo(mark: number): void;
  /** Makes what was changed final. */
  forget(): void;
}

/**
 * Makes changes durable in batches: all changes that arrive while one batch is being written make up the next, and share
 * its write. A change's promise settles when its batch is written. If the write fails, the whole batch is undone and
 * rejected. Readers may see a change shortly before it is durable.
 *
 * @param transact calls what it is given, which makes the batch on the state, and writes the state unless nothing was
 * changed; it may undo all and call it again
 * @param limit how many changes a batch has at most
 * @returns runs one change, which is synchronous and may throw; that undoes it alone
 */
export function groupCommit(
  state: Committable,
  transact: (make: () => void) => Promise<void>,
  limit = Infinity,
): { run<T>(change: () => T): Promise<T>; idle(): Promise<void> } {
  const waiting: { make: () => () => void; reject: (error: unknown) => void }[] = [];
  let working: Promise<void> | null = null;

  async function work(): Promise<void> {
    // One turn of the microtasks, so that changes made together are written together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, limit);
      let settle: (() => void)[] = [];
      try {
        await transact(() => settle = batch.map(({ make }) => make()));
        state.forget();
        for (const tell of settle) tell();
      } catch (error) {
        state.undoTo(0);
        for (const { reject } of batch) reject(error);
      }
    }
    working = null;
  }

  return {
    run: (change) =>
      new Promise((resolve, reject) => {
        const make = () => {
          const mark = state.mark;
          try {
            const result = change();
            return () => resolve(result);
          } catch (error) {
            state.undoTo(mark);
            return () => reject(error);
          }
        };
        waiting.push({ make, reject });
        working ??= work();
      }),
    idle: async () => {
      while (working !== null) await working;
    },
  };
}
