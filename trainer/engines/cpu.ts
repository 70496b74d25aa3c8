import * as tf from "@tensorflow/tfjs";
import type { Engine } from "./engine.ts";

/** tfjs's plain JavaScript backend: the reference for gradients, far too slow to train with. */
export const cpuEngine: Engine = {
  name: "cpu",
  summary: "plain JavaScript, for checks",
  async start() {
    await tf.setBackend("cpu");
    await tf.ready();
    return "plain JavaScript, 1 thread";
  },
};
