import type { InputSpec } from "../../../shared/card.ts";
import type { Random } from "../../random.ts";

/** Shapes of the patch, width to height: random erasing's. */
const ASPECT_RATIOS: [number, number] = [0.3, 1 / 0.3];

/**
 * Covers a random patch with what the network sees as 0, in place (DeVries and Taylor 2017, "Improved Regularization of
 * Convolutional Neural Networks with Cutout"); its area and shape vary as in Zhong et al. 2020, "Random Erasing Data
 * Augmentation".
 *
 * @param rgb `[height, width, 3]` 8-bit
 * @param maxArea the greatest share of the area
 */
export function cutOut(
  rgb: Uint8Array,
  { height, width, mean }: Pick<InputSpec, "height" | "width" | "mean">,
  maxArea: number,
  random: Random,
): void {
  const area = maxArea * random() * height * width;
  const [narrow, wide] = ASPECT_RATIOS.map(Math.log);
  const ratio = Math.exp(narrow + (wide - narrow) * random());
  const rows = Math.min(height, Math.floor(Math.sqrt(area / ratio)));
  const columns = Math.min(width, Math.floor(Math.sqrt(area * ratio)));
  const top = Math.floor((height - rows + 1) * random());
  const left = Math.floor((width - columns + 1) * random());
  const fill = [0, 1, 2].map((c) => Math.round(255 * mean[c % mean.length]));
  for (let y = top; y < top + rows; y++) {
    for (let x = left, i = 3 * (y * width + left); x < left + columns; x++, i += 3) {
      rgb[i] = fill[0];
      rgb[i + 1] = fill[1];
      rgb[i + 2] = fill[2];
    }
  }
}
