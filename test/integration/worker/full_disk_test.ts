import assert from "node:assert/strict";
import { messageOf } from "../../../shared/errors.ts";
import { clientOf, model } from "./client.ts";
import { startWorker } from "./process.ts";
import { writeModel } from "./tiny_model.ts";

const { fingerprint, embedding: { dimensions } } = model.card;

/** The settings of every gallery that is kept in files, given the folder. */
const GALLERIES: Record<string, (folder: string) => string> = {
  "an SQLite database": (folder) => `sqlite:${folder}/gallery.sqlite`,
  "Deno KV in a file": (folder) => `kv:${folder}/gallery.kv`,
};

const refusal = await onSmallDisk(() => Promise.resolve());
if (refusal !== null) console.log(`A full disk is not tested: no small one can be mounted here: ${refusal}`);

for (const [name, galleryIn] of Object.entries(GALLERIES)) {
  const behaviour = `a disk that fills up under ${name} is 507, loses nothing, and is written again once there is room`;
  Deno.test(behaviour, { ignore: refusal !== null }, async () => {
    await onSmallDisk(async (disk, TRIPTYCH_MODEL) => {
      const env = { TRIPTYCH_MODEL, TRIPTYCH_GALLERY: galleryIn(disk) };
      await Deno.writeFile(`${disk}/ballast`, new Uint8Array(300_000));
      const worker = await startWorker(env);
      const call = clientOf(worker.base);
      const enrolled: string[] = [];
      const enrol = async (subject: string) => {
        const json = { embedding: directionOf(subject), fingerprint };
        const answer = await call(`POST /collections/c/subjects/${subject}/images`, { json });
        if (answer.status === 201) enrolled.push(subject);
        return answer;
      };
      // Metadata fills the disk sooner than embeddings do.
      const metadata = { text: "x".repeat(6_000) };
      let full = await enrol("s0");
      for (let n = 1; full.status < 300; n++) {
        full = await enrol(`s${n}`);
        if (full.status === 201) full = await call(`PUT /collections/c/subjects/s${n}`, { json: { metadata } });
      }
      assert.equal(full.status, 507);
      assert.equal(full.headers.get("content-type"), "application/problem+json");
      assert.match(full.body.detail, /no room left, and nothing was changed/);
      const isWhole = async (base: string) => {
        const client = clientOf(base);
        const { body } = await client("GET /collections/c/subjects?limit=1000");
        assert.deepEqual(body.subjects.map((s: { subject: string }) => s.subject), enrolled.toSorted());
        assert.ok(body.subjects.every(({ images }: { images: number }) => images === 1));
        const json = { embedding: directionOf(enrolled[1]), fingerprint };
        assert.equal((await client("POST /match?collection=c", { json })).body.matches[0].subject, enrolled[1]);
      };
      await isWhole(worker.base);
      await worker.stop("SIGKILL");
      await Deno.remove(`${disk}/ballast`);
      const again = await startWorker(env);
      await isWhole(again.base);
      const json = { embedding: directionOf("after"), fingerprint };
      assert.equal((await clientOf(again.base)("POST /collections/c/subjects/after/images", { json })).status, 201);
      await again.stop();
    });
  });
}

/** A unit vector of a name. */
function directionOf(name: string): number[] {
  const angle = Array.from(name).reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 7);
  return Array.from({ length: dimensions }, (_, i) => i === 0 ? Math.cos(angle) : i === 1 ? Math.sin(angle) : 0);
}

/** Runs a test in a file system of its own, of 1 MB. @returns why this user cannot mount one; null if it ran */
async function onSmallDisk(test: (disk: string, model: string) => Promise<void>): Promise<string | null> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-disk-" }), disk = `${folder}/disk`;
  const run = async (program: string, ...args: string[]) => {
    try {
      const { success, stderr } = await new Deno.Command(program, { args }).output();
      return success ? null : new TextDecoder().decode(stderr).trim();
    } catch (error) {
      return messageOf(error);
    }
  };
  try {
    await Deno.mkdir(disk);
    await writeModel(model, `${folder}/model`);
    const refusal = await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
    if (refusal !== null) return refusal;
    try {
      await test(disk, `${folder}/model`);
      return null;
    } finally {
      await run("umount", "--lazy", disk);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
