import type { Card, Evaluation } from "../../shared/card.ts";
import { replaceFile } from "../../shared/replace_file.ts";
import { labelsOf } from "../data/batches.ts";
import {
  detCurve,
  distanceHistogram,
  type EvaluatedEmbeddings,
  type EvaluatedGallery,
  hardestConfusions,
  identityFigures,
  type Neighbours,
} from "../metrics/mod.ts";
import { curvesOf } from "./curves.ts";
import { embeddingMap } from "./embedding_map.ts";
import { renderPage } from "./html.ts";
import type { LoggedEpoch, LoggedStep } from "./run_log.ts";
import { makeSprite } from "./sprite.ts";

/** What a report is made of. */
export interface ReportData {
  /** What the run is called, such as the folder of its photos. */
  readonly title: string;
  /** Every setting of the run. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the exported model. */
  readonly card: Card;
  /** The engine that it was trained on, in words, where it was trained. */
  readonly engine: string | undefined;
  /** The run's log; may be empty. */
  readonly steps: readonly LoggedStep[];
  readonly epochs: readonly LoggedEpoch[];
  /** Figures of the network in earlier states, by what these are called, first to last. */
  readonly earlier: Readonly<Record<string, Evaluation>>;
  /** Those of the exported model on the probes. */
  readonly figures: EvaluatedEmbeddings;
  /** The photos that it was judged on, as the network sees them: `[height, width, channels]` 8-bit pixels. */
  readonly probes: readonly { readonly identity: string; readonly name: string; readonly pixels: Uint8Array }[];
  /** Embeddings of the probes by the exported model, `[probes, dim] float32`, L2-normalised. */
  readonly embeddings: Float32Array;
  /** Retrieval of the probes in a separate gallery, such as packshots. */
  readonly gallery: Omit<EvaluatedGallery, "neighbours"> | undefined;
}

const CONFUSIONS = 24;
/** Long side of a picture, pixels: on the map, on the map with many, and where pictures are compared. */
const THUMBNAIL = 64, SMALL_THUMBNAIL = 40, PICTURE = 144;
const MANY = 800;

/**
 * Writes a training run's report: one HTML file with all it needs, which loads nothing and works from a disk. The same data gives
 * the same bytes.
 */
export async function writeReport(path: string, data: ReportData): Promise<void> {
  const html = await renderPage(data.title, await reportContent(data));
  await replaceFile(path, [new TextEncoder().encode(html)]);
}

/** What the page shows of a run, as plain values. */
export type ReportContent = Awaited<ReturnType<typeof reportContent>>;

/** Works out what the page shows; the pictures are in it as data URLs. */
export async function reportContent(data: ReportData) {
  const { card, probes, embeddings, figures } = data;
  const { evaluation, thresholds, identification, pairs, neighbours } = figures;
  const labels = labelsOf(probes);
  const identities = [...new Set(probes.map(({ identity }) => identity))];
  const map = embeddingMap(embeddings, probes.length, card.training.seed);
  const confusions = hardestConfusions(neighbours, CONFUSIONS);
  const pictured = [...new Set(confusions.flatMap(({ query, right, wrong }) => [query, wrong.row, right.row]))];
  const sprite = (rows: readonly number[], longSide: number) =>
    makeSprite({ ...card.input, pixels: rows.map((row) => probes[row].pixels) }, longSide);
  const { goldens: _, ...facts } = card;
  return {
    title: data.title,
    engine: data.engine,
    config: data.config,
    card: facts,
    evaluation,
    thresholds,
    identification,
    evaluations: Object.entries({ ...data.earlier, Exported: evaluation }).map(([network, row]) => ({
      network,
      ...row,
    })),
    gallery: data.gallery ?? null,
    curves: curvesOf(data.steps),
    epochs: data.epochs,
    histogram: distanceHistogram(pairs),
    genuine: figures.genuine,
    impostor: figures.impostor,
    det: detCurve(pairs),
    identities: identities.map((name, i) => ({ name, row: map.rows.find((row) => labels[row] === i) ?? null })),
    identityFigures: identityFigures(neighbours, labels),
    images: probes.map(({ name }, row) => ({
      name,
      identity: labels[row],
      found: neighbours[row].right ? neighbours[row].found : null,
      nearest: nearestRow(neighbours[row]),
    })),
    map,
    thumbnails: await sprite(map.rows, map.rows.length > MANY ? SMALL_THUMBNAIL : THUMBNAIL),
    confusions,
    pictured,
    pictures: pictured.length > 0 ? await sprite(pictured, PICTURE) : null,
  };
}

function nearestRow({ right, wrong, found }: Neighbours): number | null {
  return (found ? right : wrong)?.row ?? null;
}
