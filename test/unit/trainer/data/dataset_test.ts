import assert from "node:assert/strict";
import type { InputSpec } from "../../../../shared/card.ts";
import { DataError } from "../../../../shared/errors.ts";
import {
  hashOf,
  impostorPairs,
  readDataset,
  readGallery,
  readTestSamples,
  splitByIdentity,
} from "../../../../trainer/data/dataset.ts";
import { readPhotos, readProbes } from "../../../../trainer/data/photos.ts";
import { encodeJpeg, quarters } from "../../../support/images.ts";

const INPUT: InputSpec = { height: 16, width: 16, channels: 3, fit: "cover", mean: [0, 0, 0], std: [1, 1, 1] };
const jpeg = await encodeJpeg(quarters(32, 32), 32, 32);

async function folderOf(files: Record<string, Uint8Array | string>): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${root}/${path}`, bytes);
  }
  return root;
}

const identitiesOf = (samples: { identity: string }[]) => [...new Set(samples.map((sample) => sample.identity))].sort();

Deno.test("readDataset() splits a folder of folders by identity, the same way for the same seed", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
  const root = await folderOf(
    Object.fromEntries(names.flatMap((name) => [[`${name}/a.jpg`, jpeg], [`${name}/b.JPEG`, jpeg]])),
  );
  const data = await readDataset(root, 1);
  const parts = [data.train, data.val, data.test].map(identitiesOf);
  assert.deepEqual(parts.map((part) => part.length), [12, 2, 6]);
  assert.deepEqual(parts.flat().sort(), names.sort());
  assert.equal(data.train.length + data.val.length + data.test.length, 40);
  assert.deepEqual(await readDataset(root, 1), data);
  assert.notDeepEqual(identitiesOf((await readDataset(root, 2)).test), parts[2]);
});

Deno.test("splitByIdentity() trains on identities with one photo, and keeps enough of few photos to judge by", () => {
  const sample = (identity: string, i: number) => ({ path: `${identity}/${i}`, name: `${identity}/${i}`, identity });
  const samples = Array.from(
    { length: 12 },
    (_, p) => Array.from({ length: p < 2 ? 1 : 3 }, (_, i) => sample(`p${p}`, i)),
  ).flat();
  for (let seed = 0; seed < 10; seed++) {
    const { train, val, test } = splitByIdentity(samples, seed);
    assert(identitiesOf(train).includes("p0") && identitiesOf(train).includes("p1"));
    assert.equal(train.length + val.length + test.length, samples.length);
    assert(impostorPairs(test) >= 60, `${impostorPairs(test)} pairs`);
    assert(identitiesOf(train).length >= 4);
  }
});

Deno.test("readTestSamples() judges a model on what was kept from it, on data without parts too", async () => {
  const root = await folderOf(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i % 10}/${i}.jpg`, jpeg])));
  const data = await readDataset(root, 4);
  const dataHash = await hashOf(data);
  assert.deepEqual(await readTestSamples(root, { seed: 4, dataHash }), data.test);
  assert.equal((await readTestSamples(root, { seed: 5, dataHash })).length, 30);
  assert.equal((await readTestSamples(root, { seed: 4, dataHash: "sha256:other" })).length, 30);
});

Deno.test("readGallery() gives the photos of a folder, or those of packshots/ beside the parts, or none", async () => {
  const parts = await folderOf({ "test/a/1.jpg": jpeg, "packshots/a/p.jpg": jpeg, "packshots/b/p.jpg": jpeg });
  assert.deepEqual((await readGallery(parts, undefined)).map(({ name }) => name), ["a/p.jpg", "b/p.jpg"]);
  assert.deepEqual((await readGallery(parts, `${parts}/test`)).map(({ name }) => name), ["a/1.jpg"]);
  const identities = await folderOf({ "packshots/1.jpg": jpeg, "a/1.jpg": jpeg });
  assert.deepEqual(await readGallery(identities, undefined), []);
  assert.deepEqual(await readGallery("mnist:", undefined), []);
  await assert.rejects(() => readGallery(parts, "/nowhere"), DataError);
});

Deno.test("readDataset() follows links, and judges by val/ where there is no test/", async () => {
  const root = await folderOf({ "train/a/1.jpg": jpeg, "train/b/1.jpg": jpeg, "elsewhere/1.jpg": jpeg });
  await Deno.mkdir(`${root}/val`);
  await Deno.symlink(`${root}/elsewhere`, `${root}/val/c`);
  await Deno.symlink(`${root}/nowhere.jpg`, `${root}/train/a/2.jpg`);
  const { train, val, test } = await readDataset(root, 1);
  assert.deepEqual([train.length, val.length, identitiesOf(test)], [3, 0, ["c"]]);
});

Deno.test("readDataset() honours train, val and test folders, and refuses an identity in two of them", async () => {
  const files = {
    "train/a/1.jpg": jpeg,
    "train/b/1.png": jpeg,
    "test/c/1.webp": jpeg,
    "val/d/1.jpg": jpeg,
    "train/b/notes.txt": "",
  };
  const data = await readDataset(await folderOf(files), 1);
  assert.deepEqual([data.train, data.val, data.test].map(identitiesOf), [["a", "b"], ["d"], ["c"]]);
  assert.equal(data.train.length, 2);
  const mixed = await folderOf({ ...files, "test/a/2.jpg": jpeg });
  await assert.rejects(
    () => readDataset(mixed, 1),
    (error) => error instanceof DataError && /a is in both train and test/.test(error.message),
  );
});

Deno.test("readDataset() says what is missing", async () => {
  await assert.rejects(
    () => readDataset("/nowhere/at/all", 1),
    (e) => e instanceof DataError && /no folder/.test(e.message),
  );
  const empty = await folderOf({ "a/readme.txt": "no photos" });
  await assert.rejects(() => readDataset(empty, 1), (e) => e instanceof DataError && /no photos/.test(e.message));
  assert.throws(() => splitByIdentity([{ path: "a/1.jpg", name: "a/1.jpg", identity: "a" }], 1), DataError);
});

Deno.test("readDataset() reads a manifest, CSV or JSON Lines, with paths relative to it", async () => {
  const rows = [["photos/1.jpg", "Ann, of Oslo", "train"], ["photos/2.jpg", "Bo", "train"], [
    "x/3.png",
    'C "Cy"',
    "test",
  ]];
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const csv = ["path,identity,split", ...rows.map((row) => row.map(quoted).join(","))].join("\r\n");
  const jsonl = rows.map(([path, identity, split]) => JSON.stringify({ path, identity, split })).join("\n");
  const root = await folderOf({ "lists/photos.csv": "\ufeff" + csv + "\n", "lists/photos.jsonl": jsonl });
  const data = await readDataset(`${root}/lists/photos.csv`, 1);
  assert.deepEqual(data, await readDataset(`${root}/lists/photos.jsonl`, 1));
  assert.deepEqual([data.train, data.val, data.test].map(identitiesOf), [["Ann, of Oslo", "Bo"], [], ['C "Cy"']]);
  assert.equal(data.test[0].path, `${root}/lists/x/3.png`);
  assert.equal(data.test[0].name, "x/3.png");
});

Deno.test("readDataset() says which line of a manifest is not right", async () => {
  const cases: [string, RegExp][] = [
    ["a.csv", /Line 3 of .*a.csv is not right in identity/],
    ["b.csv", /Line 2 of .*b.csv is not right in split: give train, val, test/],
    ["c.csv", /c.csv is not CSV/],
    ["d.jsonl", /d.jsonl is not JSON Lines/],
    ["e.jsonl", /no photos in .*e.jsonl/],
    ["f.csv", /no file .*f.csv/],
  ];
  const root = await folderOf({
    "l/a.csv": "path,identity\n1.jpg,a\n2.jpg,\n",
    "l/b.csv": "path,identity,split\n1.jpg,a,dev\n",
    "l/c.csv": 'path,identity\n"1.jpg,a\n',
    "l/d.jsonl": '{"path": "1.jpg"',
    "l/e.jsonl": "\n",
  });
  for (const [file, says] of cases) {
    await assert.rejects(
      () => readDataset(`${root}/l/${file}`, 1),
      (e) => e instanceof DataError && says.test(e.message),
      file,
    );
  }
});

Deno.test("hashOf() tells data sets apart, wherever they lie", async () => {
  const files = { "train/a/1.jpg": jpeg, "test/b/1.jpg": jpeg };
  const here = await folderOf(files),
    there = await folderOf(files),
    other = await folderOf({ ...files, "train/a/2.jpg": jpeg });
  const hash = async (root: string) => await hashOf(await readDataset(root, 1));
  assert.equal(await hash(here), await hash(there));
  assert.notEqual(await hash(here), await hash(other));
  await Deno.writeFile(`${there}/test/b/1.jpg`, jpeg.slice(0, -1));
  assert.notEqual(await hash(here), await hash(there), "another photo by the same name");
});

Deno.test("unreadable files are listed and skipped, up to the share that is allowed", async () => {
  const root = await folderOf({
    "train/a/1.jpg": jpeg,
    "train/a/2.jpg": "text",
    "train/b/1.jpg": jpeg,
    "test/c/1.jpg": jpeg,
  });
  const { train } = await readDataset(root, 1);
  const { items, unreadable } = await readPhotos(train, INPUT, { maxUnreadable: 0.5 });
  assert.equal(items.length, 2);
  assert.equal(unreadable[0].path, `${root}/train/a/2.jpg`);
  await assert.rejects(
    () => readProbes(train, INPUT, { maxUnreadable: 0.05 }),
    (error) => error instanceof DataError && error.message.includes("1 of 3 files") && error.message.includes("2.jpg"),
  );
});
