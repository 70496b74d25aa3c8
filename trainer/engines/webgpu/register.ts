import * as tf from "@tensorflow/tfjs";
import { batchNormFixedGrad, batchNormTraining, batchNormTrainingGrad } from "./kernels/batch_norm.ts";
import { conv2dBackpropFilter } from "./kernels/conv2d_backprop_filter.ts";
import { depthwiseBackpropFilter } from "./kernels/depthwise_backprop_filter.ts";
import { globalNorm } from "./kernels/global_norm.ts";
import { adamStep, sgdStep } from "./kernels/optimizer_steps.ts";

const KERNELS = [
  adamStep,
  batchNormFixedGrad,
  batchNormTraining,
  batchNormTrainingGrad,
  conv2dBackpropFilter,
  depthwiseBackpropFilter,
  globalNorm,
  sgdStep,
];

let registered = false;

/** Puts our kernels beside tfjs's, or in their place, once; after the backend's package was imported. */
export function registerTrainingKernels(): void {
  if (registered) return;
  registered = true;
  for (const kernel of KERNELS) {
    if (tf.getKernel(kernel.kernelName, "webgpu") !== undefined) tf.unregisterKernel(kernel.kernelName, "webgpu");
    tf.registerKernel(kernel);
  }
}
