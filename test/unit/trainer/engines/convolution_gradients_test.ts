import * as tf from "@tensorflow/tfjs";
import { assertAgrees } from "./gradients.ts";

const SIZES: [height: number, width: number][] = [[8, 8], [9, 7], [5, 10]];
const KERNELS = [1, 2, 3, 5, 7];
const PADS = ["same", "valid"] as const;

/** Every height and width, stride and padding for which the window fits, and no input is passed over but by a 1x1 filter. */
function* windows(kernel: number, strides: number[]) {
  for (const [height, width] of SIZES) {
    for (const stride of strides) {
      if (kernel > 1 && stride > kernel) continue;
      for (const pad of PADS) {
        if (pad === "valid" && kernel > Math.min(height, width)) continue;
        yield { height, width, stride, pad, name: `stride ${stride}, ${pad}, ${height}x${width}` };
      }
    }
  }
}

for (const kernel of KERNELS) {
  Deno.test(`wasm: gradients of a ${kernel}x${kernel} convolution are the cpu backend's`, async () => {
    for (const { height, width, stride, pad, name } of windows(kernel, [1, 2, 3])) {
      await assertAgrees(name, {
        shapes: [[3, height, width, 5], [kernel, kernel, 5, 7]],
        compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad),
      });
    }
  });

  Deno.test(`wasm: gradients of a ${kernel}x${kernel} depthwise convolution are the cpu backend's`, async () => {
    for (const { height, width, stride, pad, name } of windows(kernel, [1, 2])) {
      await assertAgrees(name, {
        shapes: [[2, height, width, 6], [kernel, kernel, 6, 1]],
        compute: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad),
      });
    }
  });
}

Deno.test("wasm: gradients of convolutions with unequal strides, unequal filters and explicit padding are the cpu backend's", async () => {
  const explicit: tf.backend_util.ExplicitPadding = [[0, 0], [3, 1], [0, 2], [0, 0]];
  for (const pad of ["same", "valid", explicit] as const) {
    await assertAgrees(`pad ${pad}`, {
      shapes: [[2, 9, 8, 3], [3, 5, 3, 4]],
      compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [1, 2], pad),
    });
    await assertAgrees(`pad ${pad}`, {
      shapes: [[2, 9, 8, 3], [4, 2, 3, 4]],
      compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [3, 1], pad),
    });
  }
});

Deno.test("wasm: gradients of convolutions of one image, one channel or one pixel are the cpu backend's", async () => {
  for (
    const [n, size, c, o, kernel] of [[1, 6, 1, 1, 3], [1, 1, 4, 8, 3], [5, 1, 3, 2, 1], [2, 3, 16, 12, 3], [
      1,
      2,
      1,
      9,
      5,
    ]]
  ) {
    for (const stride of [1, 2]) {
      await assertAgrees(`${n}x${size}x${c}x${o}, kernel ${kernel}, stride ${stride}`, {
        shapes: [[n, size, size, c], [kernel, kernel, c, o]],
        compute: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, "same"),
      });
    }
  }
});

Deno.test("wasm: gradients of a depthwise convolution with a channel multiplier are the cpu backend's", async () => {
  for (const stride of [1, 2]) {
    await assertAgrees(`stride ${stride}`, {
      shapes: [[2, 7, 6, 3], [3, 3, 3, 2]],
      compute: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, "same"),
    });
  }
});
