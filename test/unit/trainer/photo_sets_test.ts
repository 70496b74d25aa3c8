import assert from "node:assert/strict";
import type { InputSpec } from "../../../shared/card.ts";
import { readDataset, readGallery } from "../../../trainer/data/dataset.ts";
import { readPhotoSets } from "../../../trainer/photo_sets.ts";
import type { Reporter } from "../../../trainer/report/progress.ts";
import { encodeJpeg, quarters } from "../../support/images.ts";

const INPUT: InputSpec = { height: 16, width: 16, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] };
const jpeg = await encodeJpeg(quarters(32, 32), 32, 32);

async function folderOf(...paths: string[]): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const path of paths) {
    await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeFile(`${root}/${path}`, jpeg);
  }
  return root;
}

async function setsOf(root: string) {
  const said: string[] = [];
  const say = (sentence: string) => void said.push(sentence);
  const reporter: Reporter = { info: say, warn: say, progress: () => ({ update() {}, done() {} }) };
  const sets = await readPhotoSets(await readDataset(root, 1), await readGallery(root, undefined), INPUT, {
    maxUnreadable: 0,
    reporter,
  });
  return { ...sets, said };
}

const PARTS = ["train/a/1.jpg", "train/a/2.jpg", "train/b/1.jpg", "test/c/1.jpg", "test/c/2.jpg"];

Deno.test("the gallery's photos of identities that are trained on come last among those to train on, and all are searched", async () => {
  const root = await folderOf(...PARTS, "packshots/a/p.jpg", "packshots/c/p.jpg", "packshots/d/p.jpg");
  const { photos, enrolled, probes, gallery, said } = await setsOf(root);
  assert.deepEqual(photos.map(({ identity }) => identity), ["a", "a", "b", "a"]);
  assert.equal(enrolled, 1);
  assert.deepEqual(probes.map(({ identity }) => identity), ["c", "c"]);
  assert.deepEqual(gallery.map(({ identity }) => identity), ["a", "c", "d"]);
  assert.deepEqual(said, [
    "Training on 3 photos of 2 identities and 1 of the gallery, judging on 2 photos of 1 others.",
  ]);
});

Deno.test("a gallery without the identities to judge by is trained on but not searched, and it is said", async () => {
  const { photos, gallery, said } = await setsOf(await folderOf(...PARTS, "packshots/a/p.jpg"));
  assert.equal(photos.length, 4);
  assert.deepEqual(gallery, []);
  assert.match(said[0], /gallery has none of the identities to judge by/);
});
