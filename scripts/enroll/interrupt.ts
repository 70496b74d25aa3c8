const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Does long work that Ctrl-C ends early; a second one ends the process as if nobody listened. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const ignore = () => SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, onSignal));
  const onSignal = () => {
    interrupt.abort();
    ignore();
  };
  SIGNALS.forEach((signal) => Deno.addSignalListener(signal, onSignal));
  try {
    return await work(interrupt.signal);
  } finally {
    if (!interrupt.signal.aborted) ignore();
  }
}
