import type { ProblemBody } from "../middleware/problem.ts";

/** What the worker answered instead of what it was asked for; its message says what is wrong and what to do. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  constructor(readonly problem: ProblemBody) {
    super(problem.detail);
  }
}
