import type * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { gridsOf, planOf, readLayers, runReference } from "../../../../../../shared/int8/mod.ts";
import { createEmbedder } from "../../../../../../trainer/models/embedder.ts";
import type { BackboneName } from "../../../../../../trainer/models/backbones.ts";
import { compileInt8Plan } from "../../../../../../worker/embedder/plan/int8/plan.ts";
import { noise, randomizeWeights } from "../../../../trainer/export/exported.ts";
import { BUILDS, randomFrom } from "../support.ts";
import { assertEqualsReference, quickInt8Of } from "./support.ts";

const SIZE = 33;
const BACKBONES: BackboneName[] = ["resnet18", "resnet50", "mobilenet-v2", "efficientnet-lite0", "mobilefacenet"];

for (const backbone of BACKBONES) {
  Deno.test(`an int8 plan of ${backbone} computes the values of the reference, codes to the bit`, async () => {
    const input = { height: SIZE, width: SIZE, channels: 3 } as const;
    const model = randomizeWeights(createEmbedder({ backbone, input, dimensions: 20, seed: 1 }), 3);
    const { files, activations } = await quickInt8Of(model, noise([1, SIZE, SIZE, 3]) as tf.Tensor4D);
    model.dispose();
    const random = randomFrom(5), plan = planOf(readLayers(files), gridsOf(activations));
    const image = Float32Array.from({ length: SIZE ** 2 * 3 }, () => Math.floor(random() * 5) - 2);
    await assertEqualsReference(plan, image, backbone);
    const embedding = [...runReference(plan, image).values()].at(-1)!;
    for (const build of BUILDS) {
      const compiled = await compileInt8Plan(files, activations, build);
      const worst = Math.max(...compiled.run(image).map((value, i) => Math.abs(value - embedding[i])));
      assert.ok(worst < 1e-5, `${build}: off by ${worst}`);
    }
  });
}
