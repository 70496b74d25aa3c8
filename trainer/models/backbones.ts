import type * as tf from "@tensorflow/tfjs";
import { efficientNetLite0 } from "./efficientnet_lite.ts";
import { faceResNet } from "./face_resnet.ts";
import type { Initializers } from "./initializer.ts";
import { mobileFaceNet } from "./mobile_face_net.ts";
import { mobileNetV2 } from "./mobilenet_v2.ts";
import { resnet, thinResnet } from "./resnet.ts";

/** A network without its classifier: `[batch, height, width, channels]` to `[batch, features]`. */
export type Backbone = (x: tf.SymbolicTensor, initializers: Initializers) => tf.SymbolicTensor;

/** The backbones that have a name. */
export const BACKBONES = {
  "thin-resnet": (x, initializers) => thinResnet(x, [24, 48, 96], initializers),
  "resnet18": (x, initializers) => resnet(x, { depth: 18 }, initializers),
  "resnet34": (x, initializers) => resnet(x, { depth: 34 }, initializers),
  "resnet50": (x, initializers) => resnet(x, { depth: 50 }, initializers),
  "resnet101": (x, initializers) => resnet(x, { depth: 101 }, initializers),
  "resnet50-v1.5": (x, initializers) => resnet(x, { depth: 50, version: "v1.5" }, initializers),
  "resnet101-v1.5": (x, initializers) => resnet(x, { depth: 101, version: "v1.5" }, initializers),
  "mobilenet-v2": mobileNetV2,
  "efficientnet-lite0": efficientNetLite0,
  "mobilefacenet": mobileFaceNet,
  "face-resnet": faceResNet,
} satisfies Record<string, Backbone>;

/** The name of a backbone. */
export type BackboneName = keyof typeof BACKBONES;
