interface RetrievalFigures {
  queries: number;
  recallAt1: number;
  recallAt5: number;
  rPrecision: number;
  mapAtR: number;
}

interface GoldenSet {
  sizes: number[];
  labels: number[];
  embeddings: number[];
  leaveOneOut: RetrievalFigures;
  inGallery: number[];
  galleryProbe: RetrievalFigures;
  verification: { genuine: number; impostor: number; auc: number; eer: number; tarAtFar: Record<string, number> };
}

/** Figures of pytorch-metric-learning, scikit-learn and SciPy, from `make_metrics.py`. */
export const goldenSets: GoldenSet[] = JSON.parse(
  await Deno.readTextFile(new URL("../../../fixtures/metrics/metrics.json", import.meta.url)),
);
