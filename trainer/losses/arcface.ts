import { type ClassJudgement, classLoss, type ClassOptions } from "./class_centres.ts";
import { logSumExp } from "./log_sum_exp.ts";
import type { TrainableLoss } from "./loss.ts";

/** Settings of {@linkcode arcface}. */
export interface ArcfaceOptions extends ClassOptions {
  /** The angle added between a row and the centre of its class, radians; default 0.5. */
  readonly margin?: number;
  /** What the cosines are multiplied by before the softmax; default 64. */
  readonly scale?: number;
}

/** Below this sine the derivative of an angle by its cosine, which grows without bound, is held. */
const SMALLEST_SINE = 1e-3;

/**
 * ArcFace: cross-entropy of the scaled cosines to the class centres, with an angular margin on the row's own class (Deng et
 * al. 2019, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", equation 3), the mean over the rows, with the
 * values and gradients of pytorch-metric-learning 2.9 `ArcFaceLoss` (whose margin is in degrees): where angle and margin
 * pass 180 degrees, `cos(angle) - margin * sin(margin)` keeps the loss monotonic. Where that has no finite gradient, a row in
 * the very direction of its centre, this has.
 *
 * `activeTripletShare` is that of the rows which, with the margin, are not of their own class before all others.
 */
export function arcface({ margin = 0.5, scale = 64, ...classes }: ArcfaceOptions): TrainableLoss {
  return classLoss(classes, (cosines, labels, count) => classify(cosines, labels, count, { margin, scale }));
}

function classify(
  cosines: Float32Array,
  labels: Int32Array,
  classes: number,
  { margin, scale }: { margin: number; scale: number },
): ClassJudgement {
  const n = labels.length;
  const gradient = new Float32Array(n * classes);
  let loss = 0, active = 0;
  for (let i = 0; i < n; i++) {
    const start = i * classes, own = labels[i];
    const target = withMargin(cosines[start + own], margin);
    const logits = Float64Array.from(cosines.subarray(start, start + classes), (cosine) => scale * cosine);
    logits[own] = scale * target.value;
    if (logits.some((logit, k) => k !== own && logit >= logits[own])) active++;
    const { value, weights } = logSumExp(logits);
    loss += (value - logits[own]) / n;
    for (let k = 0; k < classes; k++) gradient[start + k] = scale * weights[k] / n;
    gradient[start + own] = scale * (weights[own] - 1) * target.slope / n;
  }
  return { loss, gradient, activeTripletShare: n === 0 ? 0 : active / n };
}

/** The cosine of an angle made larger by the margin, and its derivative by the cosine before. */
function withMargin(cosine: number, margin: number): { value: number; slope: number } {
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  if (angle > Math.PI - margin) return { value: Math.cos(angle) - margin * Math.sin(margin), slope: 1 };
  return {
    value: Math.cos(angle + margin),
    slope: Math.sin(angle + margin) / Math.max(Math.sin(angle), SMALLEST_SINE),
  };
}
