import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { readFile } from "../../../shared/read_file.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-read-" });

Deno.test("readFile() reads files of any length whole, by path and by URL", async () => {
  for (const length of [0, 1, 5_000_000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251), path = `${folder}/${length}`;
    await Deno.writeFile(path, bytes);
    assert.deepEqual(await readFile(path), bytes);
    const read = await readFile(pathToFileURL(path));
    assert.deepEqual(read, bytes);
    assert.equal(read.buffer.byteLength, length);
  }
});

Deno.test("readFile() says of a file that is not there what Node says of it", async () => {
  await assert.rejects(readFile(`${folder}/none`), { code: "ENOENT" });
});
