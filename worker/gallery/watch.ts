/** How often the version is looked at for changes that nobody announces: those of other processes, and expiries. */
const POLL_MILLISECONDS = 1_000;

/**
 * Yields the version of a gallery whenever it is another one, until the signal.
 *
 * @param changes has an event `change` after every change of this process
 */
export async function* watchVersion(
  version: () => Promise<string>,
  changes: EventTarget,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let seen = await version();
  while (!signal.aborted) {
    const present = await version();
    if (present !== seen) yield seen = present;
    else await changeOrPause(changes, signal);
  }
}

function changeOrPause(changes: EventTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      changes.removeEventListener("change", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, POLL_MILLISECONDS);
    changes.addEventListener("change", done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
