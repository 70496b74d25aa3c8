import type * as tf from "@tensorflow/tfjs";
import { efficientNetLite0 } from "./efficientnet_lite.ts";
import type { Initializers } from "./initializer.ts";
import { mobileNetV2 } from "./mobilenet_v2.ts";
import { resnet, thinResnet } from "./resnet.ts";

type Backbone = (x: tf.SymbolicTensor, initializers: Initializers) => tf.SymbolicTensor;

/** Networks without their classifier: `[batch, height, width, channels]` to `[batch, features]`. */
export const BACKBONES = {
  "thin-resnet": (x, initializers) => thinResnet(x, [24, 48, 96], initializers),
  "resnet18": (x, initializers) => resnet(x, 18, initializers),
  "resnet34": (x, initializers) => resnet(x, 34, initializers),
  "resnet50": (x, initializers) => resnet(x, 50, initializers),
  "mobilenet-v2": mobileNetV2,
  "efficientnet-lite0": efficientNetLite0,
} satisfies Record<string, Backbone>;

/** The name of a backbone. */
export type BackboneName = keyof typeof BACKBONES;
