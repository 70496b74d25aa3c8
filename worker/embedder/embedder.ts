/** Computes embeddings: what every runtime of the model looks like to the worker. */
export interface Embedder {
  /**
   * @param pixels `[height, width, channels]` 8-bit, of the network's size
   * @returns `[dim] float32`, unit length
   */
  embed(pixels: Uint8Array): Promise<Float32Array>;
}
