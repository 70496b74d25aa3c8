import { mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a file that only its owner may read, with its folder, if it is not there. SQLite gives those beside it the same mode.
 *
 * @returns its descriptor, to read with
 */
export function makePrivateFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, "a+", 0o600);
}

/** Whether an error of SQLite says that a file cannot be made longer; Deno gives no code with it. */
export function saysFull(message: string): boolean {
  return message.includes("database or disk is full");
}
