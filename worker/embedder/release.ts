/** Gives memory back at once; the collector would let large buffers lie for seconds. */
export function release({ buffer }: ArrayBufferView): void {
  // Node 20 cannot.
  if ("transfer" in buffer) buffer.transfer(0);
}
