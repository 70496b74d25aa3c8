import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GalleryError, messageOf, TriptychError } from "../../shared/errors.ts";
import { type AuditEvent, type ChainState, digestOf, followChain, nextLine } from "./chain.ts";

/** Where changes are written down. */
export interface AuditLog {
  /** For before a change. @throws {GalleryError} if it could not be written down */
  assertWritable(): Promise<void>;
  /** Writes down what was changed: it is on the disk when this resolves. @throws {TriptychError} if it cannot be */
  append(event: AuditEvent): Promise<void>;
  /** Waits until all is written, and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens an audit log to go on with its chain, or begins one. A last line without its end, which a process that was killed
 * left and nobody was told of, is cut off.
 *
 * @param now milliseconds since 1970
 * @throws {BrokenChainError} if its chain does not hold
 * @throws {GalleryError} if it cannot be read or written
 */
export async function openAuditLog(path: string, now: () => number = Date.now): Promise<AuditLog> {
  const { file, text } = await openFile(path);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  let { head }: ChainState = followChain(whole, path);
  let size = new TextEncoder().encode(whole).length;
  await file.truncate(size);
  let failure: unknown;
  let last: Promise<void> = Promise.resolve();

  const inTurn = (work: () => Promise<void>) => {
    const mine = last.then(work);
    last = mine.catch((error) => void (failure ??= error));
    return mine;
  };
  const check = async () => {
    if (failure !== undefined) throw failure;
    if ((await file.stat()).size !== size) throw new Error("another process has written to it");
  };
  const write = async (event: AuditEvent) => {
    const line = nextLine(event, new Date(now()).toISOString(), head);
    const bytes = new TextEncoder().encode(`${line}\n`);
    await file.appendFile(bytes);
    await file.datasync();
    [head, size] = [digestOf(line), size + bytes.length];
  };
  return {
    assertWritable: () =>
      inTurn(check).catch((error) => {
        throw cannot("write", path, error);
      }),
    append: (event) =>
      inTurn(() => check().then(() => write(event))).catch((error) => {
        throw new TriptychError(`A change was made that is not in the audit log in ${path}: ${messageOf(error)}.`);
      }),
    async close() {
      await last;
      await file.close();
    },
  };
}

async function openFile(path: string) {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "a", 0o600);
    return { file, text: await readFile(path, "utf8") };
  } catch (error) {
    throw cannot("read", path, error);
  }
}

function cannot(what: string, path: string, error: unknown): GalleryError {
  return new GalleryError(
    `Cannot ${what} the audit log in ${path}: ${messageOf(error)}; set TRIPTYCH_AUDIT to a file that can be written.`,
  );
}
