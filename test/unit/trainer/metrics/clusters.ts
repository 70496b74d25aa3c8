import type { Labelled } from "../../../../trainer/metrics/mod.ts";

/** Unit vectors around one random centre an identity; `spread` 0 makes an identity's images equal, large makes noise. */
export function clusters(
  identities: number,
  imagesEach: number,
  dimensions: number,
  spread: number,
  seed: number,
): Labelled {
  const normal = gaussian(seed);
  const centres = Array.from({ length: identities }, () => Array.from({ length: dimensions }, normal));
  const labels = Int32Array.from({ length: identities * imagesEach }, (_, i) => i % identities);
  const embeddings = new Float32Array(labels.length * dimensions);
  for (const [i, label] of labels.entries()) {
    const row = centres[label].map((value) => value + spread * normal());
    const norm = Math.hypot(...row);
    embeddings.set(row.map((value) => value / norm), i * dimensions);
  }
  return { embeddings, labels };
}

/** The same images in another order. */
export function shuffled({ embeddings, labels }: Labelled, seed: number): Labelled {
  const random = uniform(seed);
  const dimensions = embeddings.length / labels.length;
  const order = Array.from(labels, (_, i) => ({ i, key: random() })).sort((a, b) => a.key - b.key).map(({ i }) => i);
  const moved = new Float32Array(embeddings.length);
  order.forEach((from, to) =>
    moved.set(embeddings.subarray(from * dimensions, (from + 1) * dimensions), to * dimensions)
  );
  return { embeddings: moved, labels: Int32Array.from(order, (from) => labels[from]) };
}

function gaussian(seed: number): () => number {
  const random = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function uniform(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 4294967296;
  };
}
