import type { InputSpec } from "../../shared/card.ts";

/** What is taken from pixels in 0..1 and what the rest is divided by, for red, green and blue. */
export interface PixelScale {
  mean: readonly number[];
  std: readonly number[];
}

/** How networks want their pixels, by the name of who trained them so. */
export const PIXEL_SCALES = {
  /** From -1 to 1: TensorFlow's MobileNets, and networks that are trained here from scratch. */
  symmetric: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  /** PyTorch's: the mean and standard deviation of ImageNet. */
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** Keras's ResNets: in 0..255, less the mean of ImageNet. */
  caffe: { mean: [123.68 / 255, 116.779 / 255, 103.939 / 255], std: [1 / 255, 1 / 255, 1 / 255] },
  /** Google's EfficientNet-Lite: `(pixel - 127) / 128`. */
  lite: { mean: [127 / 255, 127 / 255, 127 / 255], std: [128 / 255, 128 / 255, 128 / 255] },
  /** dlib's face networks: less a mean, over 256 in dlib and over 255 in face-api, whose weights ours are. */
  dlib: { mean: [122.782 / 255, 117.001 / 255, 104.298 / 255], std: [1, 1, 1] },
} satisfies Record<string, PixelScale>;

/** A name in {@link PIXEL_SCALES}. */
export type PixelScaleName = keyof typeof PIXEL_SCALES;

/** What a configuration says about a network's input. */
export interface InputSettings {
  imageSize: number;
  channels: 1 | 3;
  fit: InputSpec["fit"];
  pixels?: PixelScaleName | undefined;
  backbone: string;
  weights?: string | undefined;
}

/** How a photo becomes the network's input. */
export function inputOf(settings: InputSettings): InputSpec {
  const { imageSize, channels, fit } = settings;
  const { mean, std } = PIXEL_SCALES[settings.pixels ?? expectedScale(settings)];
  const average = (values: readonly number[]) => [values.reduce((sum, value) => sum + value, 0) / values.length];
  const of = (values: readonly number[]) => channels === 3 ? [...values] : average(values);
  return { height: imageSize, width: imageSize, channels, fit, mean: of(mean), std: of(std) };
}

/** How those who trained such weights scaled their pixels. */
function expectedScale({ backbone, weights }: InputSettings): PixelScaleName {
  if (weights === undefined) return "symmetric";
  if (backbone === "face-resnet") return "dlib";
  if (backbone === "efficientnet-lite0") return "lite";
  if (/\.safetensors$/.test(weights)) return "imagenet";
  return backbone.startsWith("resnet") ? "caffe" : "symmetric";
}
