/** For every output position, the run of input positions that it averages and their weights, which sum to 1. */
export interface FilterTaps {
  first: Int32Array;
  count: Int32Array;
  /** `[outputs, stride]`, in single precision. */
  weights: Float32Array;
  stride: number;
}

/**
 * The taps of a triangle filter along one side: it reaches one output to either side, and no less than one input.
 *
 * @param start, extent of the region that is scaled, in inputs; edges may lie between them
 */
export function filterTaps(start: number, extent: number, inputSize: number, outputSize: number): FilterTaps {
  const scale = extent / outputSize;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const taps = {
    first: new Int32Array(outputSize),
    count: new Int32Array(outputSize),
    weights: new Float32Array(outputSize * stride),
    stride,
  };
  for (let i = 0; i < outputSize; i++) {
    const center = start + (i + 0.5) * scale;
    const first = Math.min(Math.max(0, Math.floor(center - support + 0.5)), inputSize - 1);
    const last = Math.max(first + 1, Math.min(inputSize, Math.floor(center + support + 0.5)));
    taps.first[i] = first;
    taps.count[i] = last - first;
    let sum = 0;
    for (let j = first; j < last; j++) {
      const weight = Math.max(0, 1 - Math.abs((j + 0.5 - center) / support));
      taps.weights[i * stride + j - first] = weight;
      sum += weight;
    }
    if (sum === 0) taps.weights[i * stride] = sum = 1;
    for (let j = 0; j < last - first; j++) taps.weights[i * stride + j] /= sum;
  }
  return taps;
}
