import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../../shared/errors.ts";
import { chooseEngine } from "../../../../trainer/engines/mod.ts";
import { batchNorm } from "../../../../trainer/models/batch_norm.ts";
import {
  createOptimizer,
  type Optimizer,
  type OptimizerSettings,
  trainableVariables,
} from "../../../../trainer/optimizers/mod.ts";
import { assertClose, normal } from "../engines/gradients.ts";

/** PyTorch's steps, see `test/fixtures/optimizers/make_optimizers.py`. */
interface Golden {
  shapes: number[][];
  rates: number[];
  learningRates: number[];
  start: number[][];
  gradients: number[][][];
  cases: { settings: OptimizerSettings; norms: number[]; variables: number[][] }[];
}

const golden = JSON.parse(
  await Deno.readTextFile(new URL("../../../fixtures/optimizers/optimizers.json", import.meta.url)),
) as Golden;

const ADAM = { optimizer: "adam", weightDecay: 0, momentum: 0 } as const;
const ADAMW = { optimizer: "adamw", weightDecay: 0.1, momentum: 0 } as const;
const SGD = { optimizer: "sgd", weightDecay: 0.1, momentum: 0.9 } as const;

const start = () => golden.start.map((values, i) => tf.variable(tf.tensor(values, golden.shapes[i])));
const read = (tensors: tf.Tensor[]) => Promise.all(tensors.map((tensor) => tensor.data<"float32">()));

/** A loss that has the golden gradients of a step: the inner product with them. */
function linear(variables: tf.Variable[], step: number): () => tf.Scalar {
  const gradients = golden.gradients[step];
  return () =>
    tf.addN(variables.map((v, i) => tf.sum(tf.mul(v, tf.tensor(gradients[i], golden.shapes[i]))))) as tf.Scalar;
}

/** Golden steps from `from` up to `until`; the norms of their gradients. */
async function descend(optimizer: Optimizer, variables: tf.Variable[], from: number, until: number): Promise<number[]> {
  const norms: number[] = [];
  for (let step = from; step < until; step++) {
    optimizer.setLearningRate(golden.learningRates[step]);
    const { loss, gradientNorm } = optimizer.minimize(linear(variables, step));
    norms.push((await gradientNorm.data())[0]);
    tf.dispose([loss, gradientNorm]);
  }
  return norms;
}

for (const engine of ["wasm", "cpu"]) {
  for (const { settings, norms, variables: expected } of golden.cases) {
    const { optimizer: name, weightDecay, momentum, clipNorm } = settings;
    const what = [
      name,
      momentum && `momentum ${momentum}`,
      weightDecay && `weight decay ${weightDecay}`,
      clipNorm && "clipped gradients",
    ].filter(Boolean).join(", ");

    Deno.test(`${what} on ${engine} equals PyTorch over ten steps with a changing learning rate`, async () => {
      await chooseEngine(engine);
      const variables = start();
      const optimizer = createOptimizer(variables, { ...settings, rates: golden.rates });
      assertClose(await descend(optimizer, variables, 0, 10), norms, 1e-6, "norms");
      (await read(variables)).forEach((values, i) => assertClose(values, expected[i], 1e-6, `variable ${i}`));
    });
  }

  for (const settings of [{ ...ADAM, clipNorm: 6 }, ADAMW, SGD]) {
    Deno.test(`${settings.optimizer} on ${engine} goes on from a saved state with the same bits`, async () => {
      await chooseEngine(engine);
      const undisturbed = start();
      const first = createOptimizer(undisturbed, settings);
      await descend(first, undisturbed, 0, 4);
      const saved = { state: await first.state(), values: await read(undisturbed) };
      await descend(first, undisturbed, 4, 10);

      const resumed = start();
      resumed.forEach((variable, i) => variable.assign(tf.tensor(saved.values[i], variable.shape)));
      const second = createOptimizer(resumed, settings);
      second.restore(saved.state);
      await descend(second, resumed, 4, 10);
      assert.deepEqual(await read(resumed), await read(undisturbed));
      assert.deepEqual(await second.state(), await first.state());
      assert.equal((await second.state()).step, 10);
    });

    Deno.test(`${settings.optimizer} on ${engine} holds no tensors back, and dispose() frees the rest`, async () => {
      await chooseEngine(engine);
      const variables = start();
      const before = tf.memory().numTensors;
      const optimizer = createOptimizer(variables, settings);
      const held = tf.memory().numTensors;
      tf.tidy(() => void optimizer.minimize(linear(variables, 0)));
      assert.equal(tf.memory().numTensors, held);
      for (let step = 0; step < 5; step++) {
        const { loss, gradientNorm } = optimizer.minimize(() => tf.sum(tf.square(variables[0])));
        assert.equal(tf.memory().numTensors, held + 2);
        tf.dispose([loss, gradientNorm]);
      }
      optimizer.restore(await optimizer.state());
      assert.equal(tf.memory().numTensors, held);
      optimizer.dispose();
      assert.equal(tf.memory().numTensors, before);
      assert(variables.every((variable) => !variable.isDisposed));
    });
  }

  Deno.test(`a gradient on ${engine} that is short enough is not changed by clipping, to the bit`, async () => {
    await chooseEngine(engine);
    const [free, clipped] = [start(), start()];
    await descend(createOptimizer(free, SGD), free, 0, 3);
    const norms = await descend(createOptimizer(clipped, { ...SGD, clipNorm: 100 }), clipped, 0, 3);
    assert(norms.every((norm) => norm < 100));
    assert.deepEqual(await read(clipped), await read(free));
  });

  Deno.test(`a zero gradient on ${engine} is clipped to zero, not to NaN`, async () => {
    await chooseEngine(engine);
    const variable = tf.variable(tf.tensor1d([1, 2]));
    const { gradientNorm } = createOptimizer([variable], { ...ADAM, clipNorm: 1 })
      .minimize(() => tf.sum(tf.mul(variable, 0)));
    assert.deepEqual([...await gradientNorm.data(), ...await variable.data()], [0, 1, 2]);
  });
}

/** Least squares on fixed data. */
function leastSquares([w, b]: tf.Variable[]): () => tf.Scalar {
  const x = tf.tensor2d(normal(40, 3), [10, 4]);
  const y = tf.tensor2d(normal(30, 4), [10, 3]);
  return () => tf.mean(tf.square(tf.sub(tf.add(tf.matMul(x, w as tf.Tensor as tf.Tensor2D), b), y))) as tf.Scalar;
}

Deno.test("adam equals tf.train.adam", async () => {
  await chooseEngine("wasm");
  const variables = () => [tf.variable(tf.tensor2d(normal(12, 1), [4, 3])), tf.variable(tf.tensor1d(normal(3, 2)))];
  const [ours, theirs] = [variables(), variables()];
  const adam = createOptimizer(ours, ADAM);
  const reference = tf.train.adam(0.02);
  adam.setLearningRate(0.02);
  for (let step = 0; step < 6; step++) {
    const { loss } = adam.minimize(leastSquares(ours));
    const expected = reference.minimize(leastSquares(theirs), true, theirs)!;
    assertClose(await loss.data(), await expected.data(), 1e-5, `loss of step ${step}`);
  }
  const expected = await read(theirs);
  (await read(ours)).forEach((values, i) => assertClose(values, expected[i], 1e-5, `variable ${i}`));
});

Deno.test("weight decay shrinks a kernel and leaves a bias", async () => {
  await chooseEngine("wasm");
  for (const settings of [ADAMW, SGD]) {
    const kernel = tf.variable(tf.ones([2, 2])), bias = tf.variable(tf.ones([2]));
    const optimizer = createOptimizer([kernel, bias], settings);
    optimizer.setLearningRate(0.5);
    optimizer.minimize(() => tf.mul(tf.add(tf.sum(kernel), tf.sum(bias)), 0));
    assertClose(await kernel.data(), [0.95, 0.95, 0.95, 0.95], 1e-6, settings.optimizer);
    assert.deepEqual([...await bias.data()], [1, 1]);
  }
});

Deno.test("a variable that the loss does not depend on stays as it is, even where it would decay", async () => {
  await chooseEngine("wasm");
  for (const settings of [ADAM, ADAMW, SGD]) {
    const [kernel, bias, other] = start();
    const before = await read([other]);
    const { gradientNorm } = createOptimizer([kernel, bias, other], { ...settings, clipNorm: 1 })
      .minimize(() => tf.add(tf.sum(kernel), tf.sum(bias)));
    assert.deepEqual(await read([other]), before);
    assertClose(await gradientNorm.data(), [Math.sqrt(kernel.size + bias.size)], 1e-6, "norm");
  }
});

Deno.test("a rate of 0 freezes a variable: no step, no decay, no share of the norm, no state", async () => {
  await chooseEngine("wasm");
  for (const settings of [ADAM, ADAMW, SGD]) {
    const [kernel, bias, frozen] = start();
    const before = await read([frozen]);
    const optimizer = createOptimizer([kernel, bias, frozen], { ...settings, rates: [0.5, 1, 0] });
    const { gradientNorm } = optimizer.minimize(linear([kernel, bias, frozen], 0));
    assert.deepEqual(await read([frozen]), before);
    const gradient = golden.gradients[0].slice(0, 2).flat();
    assertClose(await gradientNorm.data(), [Math.hypot(...gradient)], 1e-6, "norm");
    const { slots } = await optimizer.state();
    assert.deepEqual(slots.slice(0, 2).map(({ length }) => length), [kernel.size, bias.size]);
    assert.equal(slots.length, settings.optimizer === "sgd" ? 2 : 4);
  }
});

Deno.test("createOptimizer() refuses to train nothing, and rates of another number of variables", async () => {
  await chooseEngine("wasm");
  assert.throws(() => createOptimizer(start(), { ...ADAM, rates: [0, 0, 0] }), UsageError);
  assert.throws(() => createOptimizer(start(), { ...ADAM, rates: [1] }), RangeError);
});

Deno.test("an optimiser refuses the state of other variables or of another algorithm", async () => {
  await chooseEngine("wasm");
  const [kernel, bias] = start();
  const state = await createOptimizer([kernel, bias], ADAM).state();
  const refuses = (optimizer: Optimizer) => assert.throws(() => optimizer.restore(state), ModelError);
  refuses(createOptimizer([bias, kernel], ADAM));
  refuses(createOptimizer([kernel], ADAM));
  refuses(createOptimizer([kernel, bias], SGD));
});

Deno.test("fifty training steps on wasm hold no tensors back, and a second run gives the same bits", async () => {
  await chooseEngine("wasm");
  const run = () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [8, 8, 3], filters: 5, kernelSize: 3, strides: 2, padding: "same" }),
        batchNorm(),
        tf.layers.activation({ activation: "relu" }),
        tf.layers.globalAveragePooling2d({}),
        tf.layers.dense({ units: 4 }),
      ],
    });
    model.setWeights(model.weights.map(({ shape }, i) => {
      const size = (shape as number[]).reduce((product, length) => product * length, 1);
      return tf.tensor(normal(size, i).map((value) => Math.abs(value) + 0.1), shape as number[]);
    }));
    const x = tf.tensor4d(normal(4 * 8 * 8 * 3, 5), [4, 8, 8, 3]);
    const optimizer = createOptimizer(trainableVariables(model), { ...ADAMW, clipNorm: 0.1 });
    const counts: number[] = [];
    for (let step = 0; step < 50; step++) {
      const { loss, gradientNorm } = optimizer.minimize(() =>
        tf.mean(tf.square(model.apply(x, { training: true }) as tf.Tensor))
      );
      tf.dispose([loss, gradientNorm]);
      counts.push(tf.memory().numTensors);
    }
    assert.equal(counts[49], counts[1]);
    return read(trainableVariables(model));
  };
  assert.deepEqual(await run(), await run());
});
