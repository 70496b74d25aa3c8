import type { InputSpec } from "../../shared/card.ts";
import { fitPixels, type Image, type Region, resize, toChannels } from "../../shared/image/mod.ts";
import type { Random } from "../random.ts";
import { colorJitter, toGrey } from "./augmentation/color.ts";
import { cutOut } from "./augmentation/cutout.ts";
import { gaussianBlur } from "./augmentation/gaussian_blur.ts";

/** How a photo is varied each time it is trained on. */
export interface Augmentation {
  /** The share of the photo's area that a crop keeps: drawn uniformly from this value to 1; 1 fits the whole photo as serving does. */
  minCropArea: number;
  /** Whether half of the photos are mirrored. */
  flip: boolean;
  /** The greatest relative change of brightness and of contrast, 0 for none. */
  brightness: number;
  contrast: number;
  /** The greatest relative change of saturation, 0 for none. */
  saturation: number;
  /** The greatest change of hue, in turns of the colour circle, 0 for none, 0.5 for any. */
  hue: number;
  /** The share of photos that lose their colours. */
  grey: number;
  /** The share of photos that are blurred, as far as the view's size allows: below 64 pixels next to nothing is. */
  blur: number;
  /** The greatest share of the view's area that a patch covers: drawn uniformly from 0 to this value, 0 for no patch. */
  cutout: number;
}

const ASPECT_RATIOS: [number, number] = [3 / 4, 4 / 3];
/** What standard deviations the blur has in a view of so many pixels: SimCLR's. */
const BLUR_SIGMA: [number, number] = [0.1, 2];
const BLUR_SIZE = 224;

/**
 * A random view of a photo at the network's size: random resized crop (Szegedy et al. 2015, "Going Deeper with
 * Convolutions", section 6), mirror image, then colour jitter, grey and blur in the order of SimCLR (Chen et al. 2020, "A
 * Simple Framework for Contrastive Learning of Visual Representations", appendix A), last a patch cut out (DeVries and
 * Taylor 2017).
 *
 * What is switched off draws no numbers, and what comes later draws after what comes before: switching on the one leaves the
 * other as it is.
 *
 * @returns `[height, width, channels]` 8-bit pixels
 */
export async function augment(
  image: Image,
  input: InputSpec,
  options: Augmentation,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  const { height, width } = input;
  const rgb = options.minCropArea < 1
    ? await resize(image, randomCrop(image, width / height, options.minCropArea, random), height, width)
    : await fitPixels(image, { ...input, channels: 3 });
  if (options.flip && random() < 0.5) mirror(rgb, height, width);
  colorJitter(rgb, options, random);
  if (options.grey > 0 && random() < options.grey) toGrey(rgb);
  if (options.blur > 0 && random() < options.blur) {
    const [least, most] = BLUR_SIGMA;
    const sigma = least + (most - least) * random();
    gaussianBlur(rgb, height, width, sigma * Math.max(height, width) / BLUR_SIZE);
  }
  if (options.cutout > 0) cutOut(rgb, input, options.cutout, random);
  return toChannels(rgb, input.channels);
}

/** A crop of random area and shape that lies within the image; its shape varies around that of the network's input. */
function randomCrop(image: Image, aspect: number, minArea: number, random: Random): Region {
  const area = (minArea + (1 - minArea) * random()) * image.width * image.height;
  const [narrow, wide] = ASPECT_RATIOS.map(Math.log);
  const ratio = aspect * Math.exp(narrow + (wide - narrow) * random());
  const width = Math.min(image.width, Math.sqrt(area * ratio));
  const height = Math.min(image.height, Math.sqrt(area / ratio));
  return { x: (image.width - width) * random(), y: (image.height - height) * random(), width, height };
}

function mirror(rgb: Uint8Array, height: number, width: number): void {
  for (let y = 0; y < height; y++) {
    for (let left = 3 * y * width, right = 3 * ((y + 1) * width - 1); left < right; left += 3, right -= 3) {
      for (let c = 0; c < 3; c++) {
        const value = rgb[left + c];
        rgb[left + c] = rgb[right + c];
        rgb[right + c] = value;
      }
    }
  }
}
