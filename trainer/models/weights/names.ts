/**
 * What a framework calls one of our layers.
 *
 * @param layer the name of a convolution or BatchNorm of a backbone
 * @returns the name without that of the tensor, or `undefined` for a layer that is not of this backbone
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
  return outside[layer] ?? insideStage(layer, ({ stage, block, convolution, bn }) => {
    const name = convolution > 0 ? `${bn ? "bn" : "conv"}${convolution}` : `downsample.${bn ? 1 : 0}`;
    return `layer${stage}.${block - 1}.${name}`;
  });
};

const kerasResNet: NameMap = (layer) => {
  const outside: Record<string, string> = { stem: "conv1_conv", stem_bn: "conv1_bn" };
  return outside[layer] ??
    insideStage(
      layer,
      ({ stage, block, convolution, bn }) => `conv${stage + 1}_block${block}_${convolution}_${bn ? "bn" : "conv"}`,
    );
};

/** Until Keras 2.2. */
const oldKerasResNet: NameMap = (layer) => {
  const outside: Record<string, string> = { stem: "conv1", stem_bn: "bn_conv1" };
  return outside[layer] ?? insideStage(layer, ({ stage, block, convolution, bn }) => {
    const branch = convolution > 0 ? `branch2${" abc"[convolution]}` : "branch1";
    return `${bn ? "bn" : "res"}${stage + 1}${String.fromCharCode(96 + block)}_${branch}`;
  });
};

/** Under which names PyTorch's weights (torchvision's, timm's) of our backbones are found. */
export const TORCH_NAMES: Readonly<Record<string, readonly NameMap[]>> = {
  "efficientnet-lite0": [timmMobile(EFFICIENTNET_LITE0)],
  "mobilenet-v2": [timmMobile(MOBILENET_V2), torchvisionMobileNetV2],
  "resnet18": [torchResNet],
  "resnet34": [torchResNet],
  "resnet50-v1.5": [torchResNet],
  "resnet101-v1.5": [torchResNet],
};

/** Under which names the weights of keras.applications are found. */
export const KERAS_NAMES: Readonly<Record<string, readonly NameMap[]>> = {
  "resnet50": [kerasResNet, oldKerasResNet],
  "resnet101": [kerasResNet],
};

function insideBlock(layer: string, name: (index: number, part: string) => string | undefined): string | undefined {
  const match = /^block(\d+)_(\w+)$/.exec(layer);
  return match ? name(Number(match[1]) - 1, match[2]) : undefined;
}

/** A layer of a ResNet: stages and blocks count from 1, convolution 0 is the shortcut. */
interface StageLayer {
  stage: number;
  block: number;
  convolution: number;
  bn: boolean;
}

function insideStage(layer: string, name: (parts: StageLayer) => string): string | undefined {
  const match = /^stage(\d+)_block(\d+)_(?:conv(\d)|shortcut)(_bn)?$/.exec(layer);
  if (!match) return undefined;
  const [, stage, block, convolution, bn] = match;
  return name({
    stage: Number(stage),
    block: Number(block),
    convolution: Number(convolution ?? 0),
    bn: bn !== undefined,
  });
}

function timmBlock(stages: number[], index: number): string {
  let stage = 0;
  for (; index >= stages[stage]; stage++) index -= stages[stage];
  return `blocks.${stage}.${index}`;
}
