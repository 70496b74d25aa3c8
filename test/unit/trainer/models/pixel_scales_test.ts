import assert from "node:assert/strict";
import { normalize } from "../../../../shared/image/mod.ts";
import { inputOf, type InputSettings } from "../../../../trainer/models/pixel_scales.ts";

const settings = { imageSize: 1, channels: 3, fit: "cover", backbone: "thin-resnet" } as const;

/** What a network sees of one pixel, to five digits. */
function seen(pixel: number[], changes: Partial<InputSettings>): number[] {
  const input = inputOf({ ...settings, ...changes });
  return Array.from(normalize(Uint8Array.from(pixel), input), (value) => Number(value.toPrecision(5)));
}

Deno.test("inputOf() scales pixels as those who trained the weights did", () => {
  const pixel = [0, 127, 255];
  assert.deepEqual(seen(pixel, {}), [-1, -0.0039216, 1]);
  const lite = { backbone: "efficientnet-lite0", weights: "imagenet" };
  assert.deepEqual(seen(pixel, lite), [-127 / 128, 0, 1].map((value) => Number(value.toPrecision(5))));
  // PyTorch: (x - mean) / std of ImageNet.
  const torch = [(0 - 0.485) / 0.229, (127 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225];
  const expected = torch.map((value) => Number(value.toPrecision(5)));
  assert.deepEqual(seen(pixel, { backbone: "resnet18", weights: "resnet18.safetensors" }), expected);
  // Keras: 0 to 255 less the mean.
  assert.deepEqual(seen(pixel, { backbone: "resnet50", weights: "resnet50.h5" }), [-123.68, 10.221, 151.06]);
});

Deno.test("inputOf() scales symmetrically without weights, and as it is told whatever the weights", () => {
  assert.deepEqual(seen([0, 0, 0], { backbone: "efficientnet-lite0" }), [-1, -1, -1]);
  const told = { backbone: "efficientnet-lite0", weights: "imagenet", pixels: "symmetric" } as const;
  assert.deepEqual(seen([0, 0, 255], told), [-1, -1, 1]);
});

Deno.test("inputOf() gives grey images the mean of the colours' scales", () => {
  const input = inputOf({ ...settings, channels: 1, pixels: "imagenet" });
  assert.deepEqual([input.channels, input.mean.length, input.std.length], [1, 1, 1]);
  assert.ok(Math.abs(input.mean[0] - (0.485 + 0.456 + 0.406) / 3) < 1e-9);
  assert.ok(Math.abs(input.std[0] - (0.229 + 0.224 + 0.225) / 3) < 1e-9);
});

Deno.test("inputOf() takes size, channels and fit from the settings", () => {
  const { height, width, channels, fit } = inputOf({ ...settings, imageSize: 48, fit: "contain" });
  assert.deepEqual([height, width, channels, fit], [48, 48, 3, "contain"]);
});
