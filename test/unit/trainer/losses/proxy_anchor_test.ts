import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { proxyAnchor } from "../../../../trainer/losses/mod.ts";
import { assertDefinedBy, backends, cosine, mean, randomRows, run, sum } from "./support.ts";

Deno.test("proxyAnchor() has the gradients of its definition, in rows and in proxies", async () => {
  await backends.wasm();
  const rows = randomRows(8, 4, 14), proxies = randomRows(5, 4, 15), labels = rows.map((_, i) => i % 4);
  const definition = (rows: number[][], proxies: number[][]) => {
    const term = (proxy: number[], own: boolean, c: number) =>
      Math.log(
        1 + sum(
          rows.filter((_, i) => (labels[i] === c) === own)
            .map((row) => Math.exp(8 * (0.2 + (own ? -1 : 1) * cosine(row, proxy)))),
        ),
      );
    const pull = proxies.map((proxy, c) => term(proxy, true, c)).filter((_, c) => labels.includes(c));
    return mean(pull) + mean(proxies.map((proxy, c) => term(proxy, false, c)));
  };
  const made = proxyAnchor({ classes: 5, dimensions: 4, seed: 1, margin: 0.2, alpha: 8 });
  assertDefinedBy(made, labels, rows, definition, proxies);
  tf.dispose([...made.variables]);
});

Deno.test("proxyAnchor() reports the share of rows nearer to another proxy than to their own", async () => {
  await backends.wasm();
  const made = proxyAnchor({ classes: 2, dimensions: 2, seed: 1 });
  const { statistics } = run(made, [0, 0], [[1, 0], [0.6, 0.8]], [[[1, 0], [0, 1]]]);
  assert.equal(statistics.activeTripletShare, 0.5);
  tf.dispose([...made.variables]);
});
