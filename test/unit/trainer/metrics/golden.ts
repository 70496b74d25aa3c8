interface RetrievalFigures {
  queries: number;
  recallAt1: number;
  recallAt5: number;
  recallAt10: number;
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
export const goldenSets = await read<GoldenSet[]>("metrics.json");

interface GoldenClustering {
  /** Pairs of labellings. */
  nmi: { a: number[]; b: number[]; nmi: number }[];
  kMeans: { rows: number[][]; k: number; labels: number[]; inertia: number; nmi: number }[];
}

/** Figures of scikit-learn, from `make_clustering.py`. */
export const goldenClustering = await read<GoldenClustering>("clustering.json");

async function read<T>(name: string): Promise<T> {
  return JSON.parse(await Deno.readTextFile(new URL(`../../../fixtures/metrics/${name}`, import.meta.url)));
}
