import { TriptychError } from "../../../shared/errors.ts";

/**
 * The device failed: it is lost, or refused something. All that it computed since may be zeros, so there is no way on in
 * this process.
 */
export class DeviceFault extends TriptychError {
  override readonly name = "DeviceFault";

  /** @param fault what the device said, without a full stop */
  constructor(readonly fault: string) {
    super(
      `The GPU failed (${fault}), and what it computed is lost; go on from the last checkpoint with --resume, with a smaller ` +
        "batch if its memory was too small, or with --engine wasm.",
    );
  }
}

/** Remembers the first thing that goes wrong with a device, which WebGPU tells to nobody who does not listen. */
export class FaultWatch {
  #fault: DeviceFault | undefined;

  /** @param device to listen to from now on */
  constructor(device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#note((event as GPUUncapturedErrorEvent).error.message);
    });
    device.lost.then(({ reason, message }) => this.#note(`device lost, ${reason}: ${message}`));
  }

  /** @throws {DeviceFault} if anything went wrong with the device, now or ever before */
  check(): void {
    if (this.#fault) throw this.#fault;
  }

  /**
   * Does something with the device.
   *
   * @throws {DeviceFault} if anything went wrong with it before, or it throws now
   */
  during<Result>(work: () => Result): Result {
    this.check();
    try {
      return work();
    } catch (error) {
      if (error instanceof Error && error.name === "OperationError") throw new DeviceFault(error.message);
      throw error;
    }
  }

  #note(fault: string): void {
    this.#fault ??= new DeviceFault(fault.trim().replace(/\s+/g, " ").replace(/\.$/, ""));
  }
}
