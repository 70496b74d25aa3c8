import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { isHdf5, readKerasHdf5 } from "../../../../trainer/models/weights/hdf5.ts";
import { deepCheckpoint } from "./formula.ts";

const FIXTURES = new URL("../../../fixtures/models/", import.meta.url);
const read = (name: string) => Deno.readFileSync(new URL(name, FIXTURES));

/** What the files hold: see make_resnet50.py. */
const EXPECTED = deepCheckpoint([
  ["conv1_conv/kernel", 0, [3, 3, 3, 2]],
  ["conv1_conv/bias", 1, [2]],
  ["conv1_bn/gamma", 2, [2]],
  ["conv1_bn/beta", 3, [2]],
  ["conv1_bn/moving_mean", 4, [2]],
  ["conv1_bn/moving_variance", 5, [2]],
], [0, 1, 2]);

const FILES = {
  "tiny_model.h5": "a whole model by Keras 3",
  "tiny_keras3.weights.h5": "weights by Keras 3",
  "tiny_keras2.h5": "weights by Keras 2",
  "tiny_keras1.h5": "weights by Keras 1",
  "tiny_nested.h5": "a model within a model",
};
const OLD: Record<string, string> = { conv1: "conv1_conv", bn_conv1: "conv1_bn" };

for (const [file, what] of Object.entries(FILES)) {
  Deno.test(`readKerasHdf5() finds every tensor of ${what} by its layer and weight`, async () => {
    assert.ok(isHdf5(read(file)));
    const tensors = await readKerasHdf5(read(file), file);
    const renamed = new Map([...tensors].map(([name, tensor]) => [name.replace(/^\w+/, (l) => OLD[l] ?? l), tensor]));
    assert.deepEqual([...renamed.keys()].sort(), [...EXPECTED.keys()].sort());
    for (const [name, tensor] of renamed) {
      assert.deepEqual(tensor.shape, EXPECTED.get(name)!.shape, name);
      assert.deepEqual(tensor.read(), EXPECTED.get(name)!.read(), name);
    }
  });
}

const DAMAGED: [string, Uint8Array, RegExp][] = [
  ["a file cut short", read("tiny_model.h5").slice(0, -100), /truncated|unable to/i],
  ["a file with nothing but the signature", read("tiny_model.h5").slice(0, 8), /./],
  ["a file whose first group is overwritten", read("tiny_model.h5").fill(7, 90, 2000), /./],
];
for (const [name, bytes, cause] of DAMAGED) {
  Deno.test(`readKerasHdf5() refuses ${name} with one sentence`, async () => {
    await assert.rejects(readKerasHdf5(bytes, "net.h5"), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /^The weight file net\.h5 is damaged or not Keras's \(.*\); download it again\.$/);
      assert.match(error.message, cause);
      return true;
    });
  });
}

Deno.test("readKerasHdf5() goes on after a damaged file", async () => {
  await assert.rejects(readKerasHdf5(read("tiny_model.h5").slice(0, 1000), "net.h5"), ModelError);
  assert.equal((await readKerasHdf5(read("tiny_model.h5"), "net.h5")).size, 6);
});
