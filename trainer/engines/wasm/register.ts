import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { adamStep } from "./kernels/adam_step.ts";
import { batchMatMul } from "./kernels/batch_mat_mul.ts";
import { batchNormFixedGrad, batchNormTraining, batchNormTrainingGrad } from "./kernels/batch_norm.ts";
import { conv2d, fusedConv2d } from "./kernels/conv2d.ts";
import { conv2dBackpropFilter } from "./kernels/conv2d_backprop_filter.ts";
import { conv2dBackpropInput } from "./kernels/conv2d_backprop_input.ts";
import { depthwiseBackpropFilter } from "./kernels/depthwise_backprop_filter.ts";
import { depthwiseBackpropInput } from "./kernels/depthwise_backprop_input.ts";
import { depthwiseConv2d } from "./kernels/depthwise_conv2d.ts";
import { globalNorm } from "./kernels/global_norm.ts";
import { identity } from "./kernels/identity.ts";
import { maxPoolGrad } from "./kernels/max_pool_grad.ts";
import { padV2, slice } from "./kernels/pad_and_slice.ts";
import { preluGrad } from "./kernels/prelu_grad.ts";
import { relu, reluGrad } from "./kernels/relu.ts";
import { sgdStep } from "./kernels/sgd_step.ts";
import { unsortedSegmentSum } from "./kernels/unsorted_segment_sum.ts";

let registered = false;

/** Gives the WASM backend the kernels that training needs, once; before or after the backend starts. */
export function registerTrainingKernels(): void {
  if (registered) return;
  registered = true;
  const kernels = [
    adamStep,
    batchNormFixedGrad,
    batchNormTraining,
    batchNormTrainingGrad,
    conv2dBackpropFilter,
    conv2dBackpropInput,
    depthwiseBackpropFilter,
    depthwiseBackpropInput,
    globalNorm,
    maxPoolGrad,
    preluGrad,
    relu,
    reluGrad,
    sgdStep,
    unsortedSegmentSum,
    batchMatMul(tf.getKernel("BatchMatMul", "wasm")),
    conv2d(tf.getKernel("Conv2D", "wasm")),
    fusedConv2d(tf.getKernel("FusedConv2D", "wasm")),
    identity(tf.getKernel("Identity", "wasm")),
    padV2(tf.getKernel("PadV2", "wasm")),
    slice(tf.getKernel("Slice", "wasm")),
    depthwiseConv2d(tf.getKernel("DepthwiseConv2dNative", "wasm")),
  ];
  for (const kernel of kernels) {
    if (tf.getKernel(kernel.kernelName, "wasm") !== undefined) tf.unregisterKernel(kernel.kernelName, "wasm");
    tf.registerKernel(kernel);
  }
}
