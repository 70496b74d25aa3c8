/**
 * What a framework calls the tensors of one of our layers.
 *
 * @param layer the name of a convolution or BatchNorm of a backbone
 * @returns the name without `.weight` and its like, or `undefined` for a layer that is not of this backbone
 */
export type NameMap = (layer: string) => string | undefined;

/** Blocks a stage. */
const EFFICIENTNET_LITE0 = [1, 2, 2, 3, 3, 4, 1];
const MOBILENET_V2 = [1, 2, 3, 4, 3, 3, 1];

const timmMobile = (stages: number[]): NameMap => (layer) => {
  const outside: Record<string, string> = { stem: "conv_stem", stem_bn: "bn1", top: "conv_head", top_bn: "bn2" };
  return outside[layer] ?? insideBlock(layer, (index, part) => {
    const name = index === 0
      ? { depthwise: "conv_dw", depthwise_bn: "bn1", project: "conv_pw", project_bn: "bn2" }[part]
      : {
        ...{ expand: "conv_pw", expand_bn: "bn1", depthwise: "conv_dw", depthwise_bn: "bn2" },
        ...{ project: "conv_pwl", project_bn: "bn3" },
      }[part];
    return name && `${timmBlock(stages, index)}.${name}`;
  });
};

const torchvisionMobileNetV2: NameMap = (layer) => {
  const outside: Record<string, string> = {
    ...{ stem: "features.0.0", stem_bn: "features.0.1" },
    ...{ top: "features.18.0", top_bn: "features.18.1" },
  };
  return outside[layer] ?? insideBlock(layer, (index, part) => {
    const name = index === 0 ? { depthwise: "0.0", depthwise_bn: "0.1", project: "1", project_bn: "2" }[part] : {
      ...{ expand: "0.0", expand_bn: "0.1", depthwise: "1.0", depthwise_bn: "1.1" },
      ...{ project: "2", project_bn: "3" },
    }[part];
    return name && `features.${index + 1}.conv.${name}`;
  });
};

/** torchvision's and timm's, of any depth. */
const torchResNet: NameMap = (layer) => {
  const outside: Record<string, string> = { stem: "conv1", stem_bn: "bn1" };
  const match = /^stage(\d+)_block(\d+)_(conv(\d)|shortcut)(_bn)?$/.exec(layer);
  if (!match) return outside[layer];
  const [, stage, block, , convolution, bn] = match;
  const name = convolution ? `${bn ? "bn" : "conv"}${convolution}` : `downsample.${bn ? 1 : 0}`;
  return `layer${stage}.${Number(block) - 1}.${name}`;
};

/** The names under which weights of our backbones are found, by backbone. */
export const NAME_MAPS: Readonly<Record<string, readonly NameMap[]>> = {
  "efficientnet-lite0": [timmMobile(EFFICIENTNET_LITE0)],
  "mobilenet-v2": [timmMobile(MOBILENET_V2), torchvisionMobileNetV2],
  "resnet18": [torchResNet],
  "resnet34": [torchResNet],
};

function insideBlock(layer: string, name: (index: number, part: string) => string | undefined): string | undefined {
  const match = /^block(\d+)_(\w+)$/.exec(layer);
  return match ? name(Number(match[1]) - 1, match[2]) : undefined;
}

function timmBlock(stages: number[], index: number): string {
  let stage = 0;
  for (; index >= stages[stage]; stage++) index -= stages[stage];
  return `blocks.${stage}.${index}`;
}
