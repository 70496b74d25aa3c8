/**
 * Runs a network on one picture, in whatever way the machine can.
 *
 * @param input `[height, width, 3] float32`
 * @returns the values of each output
 */
export type Network = (input: Float32Array, height: number, width: number) => Promise<Float32Array[]>;

/** The networks that find a face. */
export interface FaceNetworks {
  readonly detector: Network;
  readonly refiner: Network;
  readonly landmarks: Network;
}
