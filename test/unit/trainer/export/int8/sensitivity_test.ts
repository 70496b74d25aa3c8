import assert from "node:assert/strict";
import { type Layers, readLayers } from "../../../../../shared/int8/mod.ts";
import { layerErrors, worstLayers } from "../../../../../trainer/export/int8/sensitivity.ts";
import { filesOf, noise } from "../exported.ts";
import { backbone } from "../networks.ts";

const SIZE = 20;
const exact = readLayers(await filesOf(backbone("thin-resnet", SIZE)));
const batch = noise([3, SIZE, SIZE, 3]);
const CULPRIT = "stage2_conv1_relu";

Deno.test("a layer that is far off is told apart from those behind it, which only inherit its error", async () => {
  const layers = exact.layers.map((layer) =>
    layer.op === "convolve" && layer.name === CULPRIT
      ? { ...layer, kernel: { ...layer.kernel, values: Float32Array.from(layer.kernel.values, Math.sign) } }
      : layer
  );
  const whole: Layers = { ...exact, layers };
  const errors = await layerErrors(exact, whole, new Map(), batch);
  const at = errors.findIndex(({ name }) => name === CULPRIT);
  assert.ok(errors[at].loss > 1e-3);
  errors.forEach(({ name, sqnr, loss }, i) => {
    if (i !== at) assert.ok(loss < 1e-6, `${name}: ${loss}`);
    // Its own neighbour aside, what comes after it is off as well, and what comes before it is not.
    if (i > at && name !== "stage2_shortcut_bn") assert.ok(sqnr < 60, `${name}: ${sqnr}`);
    if (i < at && name !== CULPRIT) assert.ok(sqnr > 60, `${name}: ${sqnr}`);
  });
  assert.match(worstLayers(errors), new RegExp(`^Most of it arises in ${CULPRIT}, `));
});

Deno.test("a coarser grid for a value costs more", async () => {
  const lossWith = async (scale: number) =>
    (await layerErrors(exact, exact, new Map([[CULPRIT, { scale, zero: 0 }]]), batch))
      .find(({ name }) => name === CULPRIT)!.loss;
  const fine = await lossWith(0.5), coarse = await lossWith(5);
  assert.ok(fine > 0 && coarse > 10 * fine, `${fine}, ${coarse}`);
});
