import { hostname } from "node:os";
import { eventRecord, type TensorBoardEvent } from "./event_record.ts";

/** A TensorBoard event file that is being written. */
export interface EventFile {
  /** Keeps scalars, by tag, until the next flush. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const NAME = /^events\.out\.tfevents\.(\d+)\./;

/**
 * Starts a TensorBoard event file in a run's directory, beside those of earlier sessions.
 *
 * It opens with a mark at `firstStep`, upon which TensorBoard forgets what earlier files say of this step and later ones.
 */
export async function createEventFile(directory: string, firstStep: number): Promise<EventFile> {
  const file = await Deno.open(await nextPath(directory), { write: true, createNew: true });
  let pending: Uint8Array[] = [];
  const add = (step: number, what: TensorBoardEvent["what"]) => {
    pending.push(eventRecord({ wallTime: Date.now() / 1000, step, what }));
  };
  add(0, { fileVersion: "brain.Event:2" });
  add(firstStep, "session start");
  const flush = async () => {
    const records = pending;
    pending = [];
    await writeAll(file, records);
  };
  return {
    scalars: (step, values) => add(step, { scalars: values }),
    flush,
    async close() {
      try {
        await flush();
      } finally {
        file.close();
      }
    },
  };
}

/** TensorBoard reads a run's files in the order of their names, so a new one must come after all others. */
async function nextPath(directory: string): Promise<string> {
  let time = Math.floor(Date.now() / 1000);
  for await (const { name } of Deno.readDir(directory)) time = Math.max(time, Number(NAME.exec(name)?.[1] ?? -1) + 1);
  return `${directory}/events.out.tfevents.${String(time).padStart(10, "0")}.${hostname()}`;
}

/** Writes parts to an open file, one after the other and each as a whole. */
export async function writeAll(file: Deno.FsFile, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) {
    for (let written = 0; written < part.length;) written += await file.write(part.subarray(written));
  }
}
