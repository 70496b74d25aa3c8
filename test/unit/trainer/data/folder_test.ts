import assert from "node:assert/strict";
import { DataError } from "../../../../shared/errors.ts";
import { listFolder } from "../../../../trainer/data/folder.ts";

async function folderOf(...files: string[]): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const path of files) {
    await Deno.mkdir(`${root}/${path.slice(0, Math.max(0, path.lastIndexOf("/")))}`, { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, "");
  }
  return root;
}

const listed = async (root: string) =>
  (await listFolder(root)).map(({ name, identity, part }) => [name, identity, ...part ? [part] : []]);

Deno.test("listFolder() takes folders within folders for identities of their own, and those above them too", async () => {
  const root = await folderOf("Greek/alpha/1.png", "Greek/beta/2.png", "Latin/a/1.png", "Latin/3.jpg");
  assert.deepEqual(await listed(root), [
    ["Greek/alpha/1.png", "Greek/alpha"],
    ["Greek/beta/2.png", "Greek/beta"],
    ["Latin/3.jpg", "Latin"],
    ["Latin/a/1.png", "Latin/a"],
  ]);
});

Deno.test("listFolder() knows parts at the top alone, and the same nested folder in two parts as one identity", async () => {
  const root = await folderOf("train/Greek/alpha/1.png", "test/Greek/alpha/1.png", "train/Greek/test/1.png");
  assert.deepEqual(await listed(root), [
    ["train/Greek/alpha/1.png", "Greek/alpha", "train"],
    ["train/Greek/test/1.png", "Greek/test", "train"],
    ["test/Greek/alpha/1.png", "Greek/alpha", "test"],
  ]);
});

Deno.test("listFolder() leaves out hidden files, other files, and photos that are in no identity's folder", async () => {
  const root = await folderOf("a/1.jpg", "a/.2.jpg", "a/notes.txt", ".cache/b/1.jpg", "loose.jpg");
  assert.deepEqual(await listed(root), [["a/1.jpg", "a"]]);
});

Deno.test("listFolder() says what it looked for where there is nothing", async () => {
  const root = await folderOf("loose.jpg");
  await assert.rejects(listFolder(root), (e) => e instanceof DataError && /one folder per identity/.test(e.message));
  await assert.rejects(
    listFolder(`${root}/loose.jpg`),
    (e) => e instanceof DataError && /cannot be read: /.test(e.message),
  );
});
