import { TriptychError } from "../../shared/errors.ts";

/** What runs the tensor operations of training. The training loop does not know which one it is. */
export interface Engine {
  /** As `--engine` names it. */
  readonly name: string;
  /** What it is, in a few words, for `--help`. */
  readonly summary: string;
  /** The most that it can hold, bytes, where that is less than the machine has. */
  readonly memory?: number;
  /**
   * Makes tfjs compute with this engine, with every kernel that training needs.
   *
   * @returns what it computes on, for a person, such as `WebAssembly SIMD, 1 thread`
   * @throws {EngineMissing} if this machine does not have it
   */
  start(): Promise<string>;
}

/** An engine that this machine does not have; the message says why, and how to get it. */
export class EngineMissing extends TriptychError {
  override readonly name = "EngineMissing";
}
