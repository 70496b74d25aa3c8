import { FLOAT, multiplyAdd, storeLanes } from "./simd";

/**
 * One step of Adam or AdamW over one variable. Writes the new moments where the old ones lie.
 *
 * @param rate the learning rate, corrected for the bias of the first moment
 * @param kept the share of itself that the value keeps: 1 without weight decay
 * @param correction of the bias of the second moment
 * @param first, last elements; `first` a multiple of four
 */
export function adamStep(
  value: usize,
  gradient: usize,
  m: usize,
  v: usize,
  result: usize,
  rate: f32,
  kept: f32,
  beta1: f32,
  beta2: f32,
  correction: f32,
  epsilon: f32,
  first: i32,
  last: i32,
): void {
  const memory1 = f32x4.splat(beta1), news1 = f32x4.splat(1 - beta1);
  const memory2 = f32x4.splat(beta2), news2 = f32x4.splat(1 - beta2);
  const unbias = f32x4.splat(correction), guard = f32x4.splat(epsilon);
  const share = f32x4.splat(kept), step = f32x4.splat(-rate);
  for (let i = first; i < last; i += 4) {
    const at = <usize>i * FLOAT, lanes = last - i;
    const slope = v128.load(gradient + at);
    const mean = multiplyAdd(v128.load(m + at), memory1, f32x4.mul(slope, news1));
    const square = multiplyAdd(v128.load(v + at), memory2, f32x4.mul(f32x4.mul(slope, slope), news2));
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(square, unbias)), guard);
    const moved = multiplyAdd(v128.load(value + at), share, f32x4.div(f32x4.mul(mean, step), root));
    storeLanes(m + at, mean, lanes);
    storeLanes(v + at, square, lanes);
    storeLanes(result + at, moved, lanes);
  }
}

/**
 * One step of gradient descent with momentum over one variable. Writes the new velocity where the old one lies.
 *
 * @param first, last elements; `first` a multiple of four
 */
export function sgdStep(
  value: usize,
  gradient: usize,
  velocity: usize,
  result: usize,
  learningRate: f32,
  weightDecay: f32,
  momentum: f32,
  first: i32,
  last: i32,
): void {
  const memory = f32x4.splat(momentum), decay = f32x4.splat(weightDecay), step = f32x4.splat(-learningRate);
  for (let i = first; i < last; i += 4) {
    const at = <usize>i * FLOAT, lanes = last - i;
    const weight = v128.load(value + at);
    const slope = multiplyAdd(weight, decay, v128.load(gradient + at));
    const speed = multiplyAdd(v128.load(velocity + at), memory, slope);
    storeLanes(velocity + at, speed, lanes);
    storeLanes(result + at, multiplyAdd(speed, step, weight), lanes);
  }
}

/** Floats whose squares make one sum. */
const BLOCK: i32 = 4096;

/**
 * Sums of squares in double precision, block by block of 4,096.
 *
 * @param sums `[blocks] float64`
 * @param count of floats
 * @param first, last blocks
 */
export function squaredSums(values: usize, sums: usize, count: i32, first: i32, last: i32): void {
  for (let block = first; block < last; block++) {
    const end = min(count, (block + 1) * BLOCK);
    let low = f64x2.splat(0), high = low;
    let i = block * BLOCK;
    for (; i + 4 <= end; i += 4) {
      const value = v128.load(values + <usize>i * FLOAT);
      const a = f64x2.promote_low_f32x4(value);
      const b = f64x2.promote_low_f32x4(v128.shuffle<f64>(value, value, 1, 1));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    low = f64x2.add(low, high);
    let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
    for (; i < end; i++) {
      const value = <f64>load<f32>(values + <usize>i * FLOAT);
      sum += value * value;
    }
    store<f64>(sums + (<usize>block << 3), sum);
  }
}
