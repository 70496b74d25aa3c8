import * as tf from "@tensorflow/tfjs";

type Initializer = ReturnType<typeof tf.initializers.heNormal>;

/** The initialisers of one network: every layer draws from a seed of its own, so that the whole network follows from one. */
export interface Initializers {
  /** For convolutions followed by a ReLU (He et al. 2015). */
  he(): Initializer;
  /** For the embedding layer (Glorot and Bengio 2010). */
  glorot(): Initializer;
}

/** Initialisers that follow from one seed. */
export function initializersFrom(seed: number): Initializers {
  let next = (seed % 1_000_000) * 1000;
  return {
    he: () => tf.initializers.heNormal({ seed: ++next }),
    glorot: () => tf.initializers.glorotUniform({ seed: ++next }),
  };
}
