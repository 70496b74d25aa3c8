import assert from "node:assert/strict";
import { runTrainer } from "../../support/command.ts";

const MODEL = "samples/model";
const FEW = await fewProducts();

/** A folder with twelve photos of each of five products never trained on, and their packshots. */
async function fewProducts(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "triptych-products-" });
  for (const product of ["Lime", "Papaya", "Pineapple", "Cabbage", "Aubergine"]) {
    await Deno.mkdir(`${root}/test/${product}`, { recursive: true });
    await Deno.mkdir(`${root}/packshots/${product}`, { recursive: true });
    for (const { name } of [...Deno.readDirSync(`samples/products/test/${product}`)].slice(0, 12)) {
      await Deno.copyFile(`samples/products/test/${product}/${name}`, `${root}/test/${product}/${name}`);
    }
    await Deno.copyFile(`samples/products/packshots/${product}/packshot.jpg`, `${root}/packshots/${product}/p.jpg`);
  }
  return root;
}

async function evaluate(...args: string[]) {
  const outcome = await runTrainer("evaluate", "--model", MODEL, "--data", FEW, ...args);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome.stdout;
}

Deno.test("`evaluate --json` names every photo that was not found, among the others and in the gallery", async () => {
  const { evaluation, failures, identification, gallery } = JSON.parse(await evaluate("--json"));
  const count = (all: { failures: unknown[] }[]) => all.reduce((sum, { failures }) => sum + failures.length, 0);
  assert.equal(evaluation.images, 60);
  assert(Math.abs(count(failures) / 60 - (1 - evaluation.recallAt1)) < 1e-9);
  assert(evaluation.recallAt1 <= evaluation.recallAt5 && evaluation.recallAt5 <= evaluation.recallAt10);
  assert(evaluation.nmi > 0.3 && evaluation.nmi <= 1);
  assert.equal(identification.galleryIdentities, 4);
  assert.equal(gallery.identities, 5);
  assert.equal(gallery.probes, 60);
  assert(Math.abs(count(gallery.failures) / 60 - (1 - gallery.recallAt1)) < 1e-9);
  for (const { identity, failures } of gallery.failures) {
    for (const { photo, takenFor, nearestOwn } of failures) {
      assert.match(photo, new RegExp(`^test/${identity}/`));
      assert.notEqual(takenFor.identity, identity);
      assert.equal(nearestOwn.photo, `${identity}/p.jpg`);
      assert(takenFor.distance <= nearestOwn.distance);
      await Deno.stat(`${FEW}/${photo}`);
    }
  }
});

Deno.test("`evaluate` looks photos up in the gallery that is given, prints it in lines that fit, and writes a page", async () => {
  const page = `${FEW}/figures.html`;
  const text = await evaluate("--gallery", `${FEW}/test`, "--report", page);
  assert.match(text, /In a gallery of 60 photos of 5 identities, 60 photos: recall@1 1\.000/);
  assert.match(text, /Open-set identification among 4 identities/);
  assert(text.split("\n").every((line) => line.length <= 120));
  const html = await Deno.readTextFile(page);
  const content = JSON.parse(/id="content">(.*?)<\/script>/s.exec(html)![1]);
  assert.equal(content.images.length, 60);
  assert.equal(content.gallery.recallAt1, 1);
  assert.deepEqual(content.evaluations.map(({ network }: { network: string }) => network), ["Exported"]);
});
