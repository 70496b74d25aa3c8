import assert from "node:assert/strict";
import { watchCollapse } from "../../../trainer/collapse.ts";

const record = (step: number, loss: number, meanPairwiseDistance: number, embeddingNorm = 1) => ({
  step,
  loss,
  meanPairwiseDistance,
  activeTripletShare: 1,
  hasTriplets: true,
  learningRate: 1e-3,
  images: 64,
  embeddingNorm,
  gradientNorm: 1,
});

Deno.test("watchCollapse() speaks once when the loss stays at the margin and distances go to 0", () => {
  const watch = watchCollapse(0.5);
  const said = Array.from({ length: 60 }, (_, step) => watch.see(record(step, 0.5, 0.001))).filter((text) =>
    text !== undefined
  );
  assert.equal(said.length, 1);
  assert.match(said[0], /collapsed.*learningRate/);
  assert.equal(watch.healthy(), false);
});

Deno.test("watchCollapse() says nothing of a run that learns, or that recovers in time", () => {
  const learning = watchCollapse(0.5), recovering = watchCollapse(0.5);
  for (let step = 0; step < 200; step++) {
    assert.equal(learning.see(record(step, 0.3, 1.1)), undefined);
    assert.equal(learning.see(record(step, 0.5, 1.1)), undefined);
    assert.equal(recovering.see(record(step, step % 15 === 0 ? 0.2 : 0.5, step % 15 === 0 ? 0.9 : 0.001)), undefined);
  }
});

Deno.test("watchCollapse() speaks when embeddings vanish before they are scaled, whatever the loss", () => {
  const watch = watchCollapse(undefined);
  const said = Array.from({ length: 40 }, (_, step) => watch.see(record(step, 0.3, 1.1, 1e-6)));
  assert.match(said.find((text) => text !== undefined)!, /mean length is 1.0e-6/);
});
