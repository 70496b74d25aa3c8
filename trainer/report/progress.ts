/** Where a command tells what it does. */
export interface Reporter {
  info(line: string): void;
  warn(line: string): void;
  /** Starts a bar; the bar before it must be done. */
  progress(label: string, total: number): Progress;
}

/** A bar on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /** @param details what else to say, such as `loss 0.31` */
  update(done: number, details?: string): void;
  done(): void;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const PLAIN_LINE_MS = 10_000;
/** How much of the measured time of a step is replaced by that of the newest. */
const SMOOTHING = 0.1;

/** Reports to the terminal's error stream, so that standard output stays for results. */
export function terminalReporter(): Reporter {
  const write = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  // A line that is said while a bar is drawn takes the bar's place; the bar is drawn again below it.
  const clear = Deno.stderr.isTerminal() ? "\r\x1b[K" : "";
  const line = (text: string) => write(`${clear}${text}\n`);
  return {
    info: line,
    warn: (text) => line(`warning: ${text}`),
    progress: (label, total) => Deno.stderr.isTerminal() ? bar(label, total, write) : plainLines(label, total, line),
  };
}

function bar(label: string, total: number, write: (text: string) => void): Progress {
  const rate = rateMeter();
  let drawn = 0;
  const draw = (done: number, details: string) => {
    drawn = performance.now();
    const filled = Math.round(BAR_WIDTH * done / Math.max(1, total));
    const blocks = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    write(`\r\x1b[K${label} ${blocks} ${done}/${total}${rate.left(total - done)}${details && `  ${details}`}`);
  };
  return {
    update(done, details = "") {
      rate.at(done);
      if (performance.now() - drawn >= REDRAW_MS || done === total) draw(done, details);
    },
    done: () => write("\n"),
  };
}

function plainLines(label: string, total: number, line: (text: string) => void): Progress {
  const rate = rateMeter();
  let said = performance.now();
  return {
    update(done, details = "") {
      rate.at(done);
      if (performance.now() - said < PLAIN_LINE_MS && done !== total) return;
      said = performance.now();
      line(`${label} ${done}/${total}${rate.left(total - done)}${details && `  ${details}`}`);
    },
    done: () => {},
  };
}

/** Averages the time of a step, not the rate: steps that end together would make that seem boundless. */
function rateMeter() {
  let last: { done: number; time: number } | undefined;
  let stepMs = 0;
  return {
    at(done: number): void {
      const time = performance.now();
      if (last !== undefined && done > last.done) {
        const now = (time - last.time) / (done - last.done);
        stepMs = stepMs === 0 ? now : stepMs + SMOOTHING * (now - stepMs);
      }
      last = { done, time };
    },
    left: (remaining: number): string => remaining > 0 && stepMs > 0 ? `  ${duration(remaining * stepMs)} left` : "",
  };
}

/** Milliseconds as `1:05:09`, `5:09` or `9 s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
