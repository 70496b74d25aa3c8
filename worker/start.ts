import type { Calibration, Card } from "../shared/card.ts";
import { ModelError } from "../shared/errors.ts";
import type { ModelFiles } from "../shared/model_files.ts";
import { type AppType, createApp } from "./app.ts";
import type { Config } from "./config.ts";
import { DEFAULT_FMR } from "./decision.ts";
import type { OpenImageService } from "./embedder/service.ts";
import type { CollectionSummary, Gallery } from "./gallery/gallery.ts";
import { createLoadingApp } from "./loading_app.ts";
import type { Peer } from "./middleware/env.ts";
import type { Log } from "./middleware/request_log.ts";
import type { WorkerState } from "./routes/health.ts";

/**
 * How many images a gallery in the worker's memory has at most before Postgres with HNSW is recommended: from there on its
 * exact search takes longer (docs/galleries.md has the figures).
 */
export const MOST_IN_PROCESS = 1_500_000;

/** What a runtime lends the worker. */
export interface Host {
  log: Log;
  /**
   * Reads it anew each time, for the weights are taken away.
   *
   * @throws {ModelError} if it cannot be read
   */
  readModel(): Promise<ModelFiles>;
  /** @throws {GalleryError} if it cannot be opened */
  openGallery(card: Card): Promise<Gallery>;
  /**
   * What does the jobs of images.
   *
   * @param model its weights may be taken away
   * @param readModel reads the same model again
   * @throws {ModelError} if the model cannot be used
   */
  openImages(model: Promise<ModelFiles>, readModel: () => Promise<ModelFiles>): Promise<OpenImageService>;
}

/** A worker: it answers at once for its health, and all else once it is ready. */
export interface Worker {
  config: Config;
  fetch: (request: Request, peer?: Peer) => Promise<Response>;
  /** Resolves when the worker is ready; rejects with TriptychError if its model or gallery cannot be used. */
  ready: Promise<void>;
  /** Refuses new requests, waits until those under way are answered, and closes the gallery. */
  drain(): Promise<void>;
}

/** Starts to read the model, prove it, open the gallery and make the app. */
export function startWorker(config: Config, host: Host): Worker {
  let state: WorkerState = "loading", underWay = 0;
  let idle = () => {};
  let app: AppType | undefined;
  const loadingApp = createLoadingApp(host.log, () => state);
  let isHealthy = () => true;
  const loaded = load(config, host, () => state === "ready" && !isHealthy() ? "stuck" : state);
  const ready = loaded.then((loaded) => {
    app = loaded.app;
    isHealthy = loaded.images.isHealthy;
    if (state === "loading") state = "ready";
  });
  // Who waits for it is told; nobody must.
  ready.catch(() => {});
  return {
    config,
    ready,
    async fetch(request, peer = {}) {
      underWay++;
      try {
        const isForHealth = new URL(request.url).pathname.startsWith("/health/");
        return await (app ?? (isForHealth ? loadingApp : (await loaded).app)).fetch(request, peer);
      } finally {
        if (--underWay === 0) idle();
      }
    },
    async drain() {
      state = "draining";
      if (underWay > 0) await new Promise<void>((resolve) => idle = resolve);
      await loaded.then(({ gallery, images }) => Promise.all([gallery.close(), images.close()]), () => {});
    },
  };
}

async function load(
  config: Config,
  { log, readModel, openGallery, openImages }: Host,
  state: () => WorkerState,
): Promise<{ app: AppType; gallery: Gallery; images: OpenImageService }> {
  const marks = [performance.now()];
  await config.keys?.();
  let fingerprint: string;
  const reading = readModel().then((files) => (fingerprint = files.card.fingerprint, files));
  const readAgain = async () => {
    const again = await readModel();
    if (again.card.fingerprint === fingerprint) return again;
    throw new ModelError(`The model in ${config.model} is another one by now; start the worker anew.`);
  };
  const [{ card, modelJson }, images] = await Promise.all([reading, openImages(reading, readAgain)]);
  const { name, fallback, loaded } = images;
  marks.push(loaded, performance.now());
  const gallery = await openGallery(card);
  marks.push(performance.now());
  const advice = config.gallery.kind === "postgres" ? null : sizeAdvice(await gallery.collections());
  log({ level: "info", message: "ready", embedder: name, milliseconds: startupOf(marks) });
  for (const warning of [fallback, calibrationWarning(card.calibration), advice]) {
    if (warning) log({ level: "warning", message: warning });
  }
  // The embedder has the weights in its own way; who asks for the files gets them read again.
  const model = {
    card,
    modelJson,
    readWeights: async () => (await readAgain()).weights,
    readFace: async () => (await readAgain()).face,
  };
  return { app: createApp({ ...config, model, images, gallery, log, state }), gallery, images };
}

/**
 * One sentence for a gallery that has outgrown the memory of one process.
 *
 * @returns null if it has not
 */
export function sizeAdvice(collections: readonly CollectionSummary[]): string | null {
  const images = collections.reduce((sum, collection) => sum + collection.images, 0);
  if (images <= MOST_IN_PROCESS) return null;
  return `The gallery has ${images} images, and above ${MOST_IN_PROCESS} a Postgres server searches them faster than one process does, and holds them for it; set TRIPTYCH_GALLERY=postgres://... and enrol there with deno task enroll.`;
}

/** How long each part of the start took, milliseconds: `import` is all before, since the process began. */
export interface Startup {
  import: number;
  model: number;
  firstInference: number;
  gallery: number;
}

/** @param marks the ends of the parts, milliseconds since the process began */
function startupOf(marks: number[]): Startup {
  const [imported, model, firstInference, gallery] = marks.map((mark, i) => Math.round(mark - (marks[i - 1] ?? 0)));
  return { import: imported, model, firstInference, gallery };
}

/**
 * One sentence for a card whose photos were too few for the default false-match rate.
 *
 * @returns null if they were enough
 */
export function calibrationWarning({ fmr: [lowest] }: Calibration): string | null {
  if (lowest <= DEFAULT_FMR) return null;
  const supported = Math.ceil(lowest * 1000 - 1e-9) / 1000;
  return `The model's card supports no false-match rate below ${supported}, and decisions at a lower one, such as the default ${DEFAULT_FMR}, match nothing but the same image; evaluate the model on more photos of identities never trained on, or ask with fmr=${supported} or above.`;
}
