import type { GraphConstant } from "./graph_def.ts";
import { isQuantizable, type StorageScheme } from "./quantize.ts";

/** How each weight is stored, by its name. */
export type Storage = (name: string) => StorageScheme;

/** Plans aim a little past the goal: losses add up only nearly. */
const MARGIN = 0.8;
/** The share of all weights below which a kernel saves too little for its loss to be measured. */
const SMALL = 0.005;

/**
 * Ways to store the weights under a scheme, the smallest first; take the first that is good enough.
 *
 * For `none` and `float16` there is one. For `uint8` the first has every kernel in 8 bits. One scale for a whole kernel is
 * too coarse where its channels differ much in range, as folding can leave them; so the further plans keep kernels in
 * float16: all that are small, depthwise ones among them, and of the others those first whose quantisation alone costs most
 * for the bytes that it saves. That cost is measured, kernel by kernel, and only if the first plan was not taken.
 * Independent errors add up in `1 - cosine`, so the costs also say how many kernels it takes. The last plan is float16
 * throughout.
 *
 * @param allowed the mean of `1 - cosine` that is good enough
 * @param lossOf the mean of `1 - cosine` that a way of storage costs, on some images
 */
export async function* storagePlans(
  constants: readonly GraphConstant[],
  scheme: StorageScheme,
  allowed: number,
  lossOf: (storage: Storage) => Promise<number>,
): AsyncGenerator<Storage> {
  yield () => scheme;
  if (scheme !== "uint8") return;
  const all = constants.filter(isQuantizable);
  const enoughToMeasure = SMALL * all.reduce((sum, { values }) => sum + values.length, 0);
  const kernels: { name: string; bytes: number; loss: number }[] = [];
  for (const { name, values } of all.filter(({ values }) => values.length >= enoughToMeasure)) {
    const loss = Math.max(0, await lossOf((other) => other === name ? "uint8" : "none"));
    kernels.push({ name, bytes: values.length, loss });
  }
  kernels.sort((a, b) => b.loss / b.bytes - a.loss / a.bytes);
  for (let kept = enough(kernels.map(({ loss }) => loss), MARGIN * allowed); kept <= kernels.length;) {
    const coarse = new Set(kernels.slice(kept).map(({ name }) => name));
    yield (name) => coarse.has(name) ? "uint8" : "float16";
    if (kept === kernels.length) return;
    kept = Math.min(kernels.length, kept + Math.ceil(kernels.length / 10));
  }
}

/** How many of the first losses must go, at least one, for the rest to sum up to what is allowed. */
function enough(losses: number[], allowed: number): number {
  let left = losses.reduce((sum, loss) => sum + loss, 0);
  let count = 0;
  while (count < losses.length && (count === 0 || left > allowed)) left -= losses[count++];
  return count;
}
