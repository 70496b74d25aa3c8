import assert from "node:assert/strict";
import { createEmbedder } from "../../../../../trainer/models/embedder.ts";
import { type BackboneName, BACKBONES } from "../../../../../trainer/models/backbones.ts";
import type { Scheme } from "../../../../../trainer/export/mod.ts";
import { compilePlan } from "../../../../../worker/embedder/plan/plan.ts";
import { filesOf, randomizeWeights } from "../../../trainer/export/exported.ts";
import { assertAgreesWithTfjs } from "./support.ts";

const SCHEMES = ["none", "float16", "uint8"] as const satisfies Scheme[];
const LARGE = 64e6;
/** What is packed may be larger than float32 weights by so much. */
const OVERHEAD = 1.3;

for (const backbone of Object.keys(BACKBONES) as BackboneName[]) {
  Deno.test(`a plan of ${backbone} agrees with tfjs however its weights are stored, in little more than their memory`, async () => {
    // face-resnet halves so often, without zeros around, that nothing is left of less.
    const [height, width] = backbone === "face-resnet" ? [150, 150] : [65, 72];
    const input = { height, width, channels: 3 } as const;
    const model = randomizeWeights(createEmbedder({ backbone, input, dimensions: 20, seed: 1 }), 3);
    const weights = model.countParams() * Float32Array.BYTES_PER_ELEMENT;
    // One large network stands for all.
    const schemes = weights > LARGE && backbone !== "resnet34" ? SCHEMES.slice(0, 1) : SCHEMES;
    for (const scheme of schemes) {
      const files = await filesOf(model, () => scheme);
      await assertAgreesWithTfjs(files, [height, width, 3], `${backbone}, ${scheme}`, "wasm");
      const { bytes } = await compilePlan(files, input);
      // Tables and rounded numbers of channels weigh something in the smallest networks.
      assert.ok(bytes.kept <= OVERHEAD * weights + 2 ** 18, `${bytes.kept} bytes for ${weights}`);
    }
    model.dispose();
  });
}
