import assert from "node:assert/strict";
import { startPostgres } from "../../support/postgres.ts";
import { clientOf, model } from "./client.ts";
import { CrashClient } from "./crash_client.ts";
import { startWorker } from "./process.ts";
import { writeModel } from "./tiny_model.ts";

/** How often a worker is killed, for each store. CI has time for a few; CRASHES=200 is the whole test. */
const CRASHES = Number(Deno.env.get("CRASHES") ?? 6);

const CLIENTS = 4;
const RETRIES = 1_000;

const server = await startPostgres();
Deno.test.afterAll(() => server.stop());

/** The settings of every store that lasts, given a folder. */
const STORES: Record<string, (folder: string) => Record<string, string> | Promise<Record<string, string>>> = {
  sqlite: (folder) => ({ TRIPTYCH_GALLERY: `sqlite:${folder}/gallery.sqlite` }),
  "sqlite with a key": (folder) => ({
    TRIPTYCH_GALLERY: `sqlite:${folder}/gallery.sqlite`,
    TRIPTYCH_GALLERY_KEY: `${"AQ".repeat(21)}A=`,
  }),
  kv: (folder) => ({ TRIPTYCH_GALLERY: `kv:${folder}/gallery.kv` }),
  postgres: async () => ({ TRIPTYCH_GALLERY: await server.makeDatabase() }),
};

for (const [name, settingsIn] of Object.entries(STORES)) {
  Deno.test(`${name}: ${CRASHES} kill -9 lose no acknowledged change, show none partially, bring nothing deleted back`, () =>
    inFolder(async (folder, TRIPTYCH_MODEL) => {
      const env = { TRIPTYCH_MODEL, ...await settingsIn(folder) };
      const random = randomFrom(7);
      const clients = Array.from({ length: CLIENTS }, (_, i) => new CrashClient(`c${i}`, model.card, random));
      for (let crash = 0; crash <= CRASHES; crash++) {
        const worker = await startWorker(env);
        const call = clientOf(worker.base);
        await Promise.all(clients.map((client) => client.check(call)));
        if (crash === CRASHES) {
          await worker.stop();
          break;
        }
        const work = clients.map((client) => client.work(call));
        await new Promise((resolve) => setTimeout(resolve, 20 + 400 * random()));
        worker.child.kill("SIGKILL");
        await Promise.all(work);
        await worker.child.status;
      }
      const total = (kind: keyof CrashClient["changes"]) =>
        clients.reduce((sum, { changes }) => sum + changes[kind], 0);
      const [enrolments, replacements, deletions] = [total("enrolments"), total("replacements"), total("deletions")];
      console.log(`${name}: ${enrolments} enrolments, ${replacements} replacements, ${deletions} deletions held`);
      assert.ok(enrolments > CRASHES && replacements > 0 && deletions > 0);
    }));

  Deno.test(`${name}: ${RETRIES} concurrent requests with one idempotency key make one record`, () =>
    inFolder(async (folder, TRIPTYCH_MODEL) => {
      const env = { TRIPTYCH_MODEL, ...await settingsIn(folder) };
      const worker = await startWorker(env);
      const call = clientOf(worker.base);
      const { fingerprint, embedding: { dimensions } } = model.card;
      const json = { embedding: Array.from({ length: dimensions }, (_, i) => Number(i === 0)), fingerprint };
      const headers = { "idempotency-key": "7c9e6679-7425-40de-944b-e07fc1f90ae7" };
      const answers = await Promise.all(
        Array.from({ length: RETRIES }, () => call("POST /collections/c/subjects/s/images", { json, headers })),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
      assert.equal(new Set(answers.map(({ body }) => body.image)).size, 1);
      await worker.stop();
      const again = await startWorker(env);
      const { images } = (await clientOf(again.base)("GET /collections/c/subjects/s")).body;
      await again.stop();
      assert.deepEqual(images.map(({ image }: { image: string }) => image), [answers[0].body.image]);
    }));
}

async function inFolder(test: (folder: string, model: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-crash-" });
  try {
    await writeModel(model, `${folder}/model`);
    await test(folder, `${folder}/model`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Numbers in 0..1 by a linear congruential generator (Numerical Recipes, section 7.1). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
