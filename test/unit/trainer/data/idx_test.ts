import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import { readDataset } from "../../../../trainer/data/dataset.ts";
import { readProbes } from "../../../../trainer/data/photos.ts";

const INPUT = { height: 2, width: 3, channels: 1 as const, fit: "stretch" as const, mean: [0], std: [1] };

function idx(magic: number, sizes: number[], values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * sizes.length + values.length);
  const view = new DataView(bytes.buffer);
  [magic, ...sizes].forEach((word, i) => view.setUint32(4 * i, word));
  bytes.set(values, 4 + 4 * sizes.length);
  return bytes;
}

async function folderOf(images: number[][], labels: number[]): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const part of ["train", "t10k"]) {
    await Deno.writeFile(`${root}/${part}-images-idx3-ubyte`, idx(0x803, [images.length, 2, 3], images.flat()));
    await Deno.writeFile(`${root}/${part}-labels-idx1-ubyte`, idx(0x801, [labels.length], labels));
  }
  return root;
}

Deno.test("readDataset() reads MNIST's files, image by image", async () => {
  const images = [[0, 50, 100, 150, 200, 255], [9, 8, 7, 6, 5, 4]];
  const root = await folderOf(images, [7, 3]);
  const { train, val, test } = await readDataset(`mnist:${root}`, 1);
  assert.deepEqual([train.length, val.length, test.length], [2, 0, 2]);
  assert.deepEqual(train.map(({ identity }) => identity), ["7", "3"]);
  const { items } = await readProbes((await readDataset(`mnist:${root}`, 1)).test, INPUT, { maxUnreadable: 0 });
  assert.deepEqual(items.map(({ pixels }) => [...pixels]), images);
});

Deno.test("readDataset() refuses idx files that are missing, cut off or do not fit each other", async () => {
  const refused = (root: string, says: RegExp) =>
    assert.rejects(() => readDataset(`mnist:${root}`, 1), (e) => e instanceof DataError && says.test(e.message));
  await refused("/nowhere", /no such file/);
  await refused(await folderOf([[1, 2, 3, 4, 5]], [1]), /not a whole idx file/);
  await refused(await folderOf([[1, 2, 3, 4, 5, 6]], [1, 2]), /2 labels for 1 images/);
});
