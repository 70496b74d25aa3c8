import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/** Makes a file that only its owner may read, with its folder, if it is not there. SQLite gives those beside it the same mode. */
export function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, "a", 0o600));
}

/** Whether an error of SQLite says that a file cannot be made longer; Deno gives no code with it. */
export function saysFull(message: string): boolean {
  return message.includes("database or disk is full");
}
