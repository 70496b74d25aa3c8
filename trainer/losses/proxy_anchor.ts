import { type ClassJudgement, classLoss, type ClassOptions } from "./class_centres.ts";
import { logSumExp } from "./log_sum_exp.ts";
import type { TrainableLoss } from "./loss.ts";

/** Settings of {@linkcode proxyAnchor}. */
export interface ProxyAnchorOptions extends ClassOptions {
  /** How far above 0 the cosine to the own proxy should be, and below 0 to the others; default 0.1. */
  readonly margin?: number;
  /** How sharply the hardest rows of a proxy stand out; default 32. */
  readonly alpha?: number;
}

/**
 * Proxy-anchor loss: every class has a proxy, which is the anchor of all the batch's rows (Kim et al. 2020, "Proxy Anchor Loss
 * for Deep Metric Learning", equation 4), with the values and gradients of pytorch-metric-learning 2.9 `ProxyAnchorLoss`.
 *
 * `activeTripletShare` is that of the rows that are not nearer to their own proxy than to all others.
 */
export function proxyAnchor({ margin = 0.1, alpha = 32, ...classes }: ProxyAnchorOptions): TrainableLoss {
  return classLoss(classes, (cosines, labels, count) => anchorAtProxies(cosines, labels, count, { margin, alpha }));
}

function anchorAtProxies(
  cosines: Float32Array,
  labels: Int32Array,
  classes: number,
  { margin, alpha }: { margin: number; alpha: number },
): ClassJudgement {
  const n = labels.length;
  const gradient = new Float32Array(n * classes);
  const proxiesWithRows = new Set(labels).size;
  let loss = 0;
  const weigh = (indices: number[], sign: 1 | -1, divisor: number) => {
    const { value, weights } = logSumExp(indices.map((k) => alpha * (margin + sign * cosines[k])), true);
    loss += value / divisor;
    indices.forEach((k, w) => gradient[k] = sign * alpha * weights[w] / divisor);
  };
  for (let proxy = 0; proxy < classes; proxy++) {
    const own: number[] = [], others: number[] = [];
    for (let i = 0; i < n; i++) (labels[i] === proxy ? own : others).push(i * classes + proxy);
    if (own.length > 0) weigh(own, -1, proxiesWithRows);
    weigh(others, 1, classes);
  }
  return { loss, gradient, activeTripletShare: shareAstray(cosines, labels, classes) };
}

function shareAstray(cosines: Float32Array, labels: Int32Array, classes: number): number {
  if (labels.length === 0) return 0;
  let astray = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = cosines.subarray(i * classes, (i + 1) * classes);
    const own = row[labels[i]];
    if (row.some((cosine, k) => k !== labels[i] && cosine >= own)) astray++;
  }
  return astray / labels.length;
}
