import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../../shared/errors.ts";
import { sha256 } from "../../../../shared/sha256.ts";
import { loadPretrained, readWeightFile } from "../../../../trainer/models/weights/mod.ts";

const CONTENT = new TextEncoder().encode("weights");
const HASH = await sha256(CONTENT);
const OTHER = "0".repeat(64);

/** Runs with a fresh folder and a server of the content, which counts its requests. */
async function withServer(test: (url: string, cache: string, requests: () => number) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  let requests = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    requests++;
    return request.url.endsWith("/weights") ? new Response(CONTENT) : new Response("no", { status: 404 });
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, `${folder}/cache`, () => requests);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("weights from a URL are downloaded once", () =>
  withServer(async (url, cache, requests) => {
    const source = { location: `${url}/weights`, sha256: HASH, cache };
    assert.deepEqual(await readWeightFile(source), CONTENT);
    assert.deepEqual(await readWeightFile(source), CONTENT);
    assert.equal(requests(), 1);
    assert.deepEqual([...Deno.readDirSync(cache)].map(({ name }) => name), [HASH.slice("sha256:".length)]);
  }));

Deno.test("a damaged file in the cache is downloaded again", () =>
  withServer(async (url, cache, requests) => {
    const source = { location: `${url}/weights`, sha256: HASH, cache };
    await readWeightFile(source);
    await Deno.writeTextFile(`${cache}/${HASH.slice("sha256:".length)}`, "wei");
    assert.deepEqual(await readWeightFile(source), CONTENT);
    assert.equal(requests(), 2);
  }));

Deno.test("a download that is not what its hash says is refused and not kept", () =>
  withServer(async (url, cache) => {
    await assert.rejects(readWeightFile({ location: `${url}/weights`, sha256: OTHER, cache }), (error) => {
      assert.ok(error instanceof ModelError);
      assert.ok(error.message.includes(`has the hash ${HASH} instead of sha256:${OTHER}`));
      return true;
    });
    await assert.rejects(Deno.stat(cache), Deno.errors.NotFound);
  }));

Deno.test("a URL needs a hash, and the server to have the file", () =>
  withServer(async (url, cache) => {
    await assert.rejects(readWeightFile({ location: `${url}/weights`, cache }), UsageError);
    await assert.rejects(readWeightFile({ location: `${url}/weights`, sha256: "abc", cache }), UsageError);
    await assert.rejects(
      readWeightFile({ location: `${url}/none`, sha256: OTHER, cache }),
      /Cannot download the weights .*: the server answered 404; try again, or give a path\./,
    );
  }));

Deno.test("weights from a path need no hash, and are held to one that is given", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, CONTENT);
  assert.deepEqual(await readWeightFile({ location: path, cache: "" }), CONTENT);
  await assert.rejects(readWeightFile({ location: path, sha256: OTHER, cache: "" }), ModelError);
  await Deno.remove(path);
  await assert.rejects(
    readWeightFile({ location: path, cache: "" }),
    /Cannot read the weight file .*no such file; check/,
  );
});

Deno.test("a backbone without a name map has no pretrained weights", async () => {
  const x = tf.input({ shape: [4] });
  const model = tf.model({ inputs: x, outputs: x });
  await assert.rejects(loadPretrained(model, "thin-resnet", { location: "x", cache: "" }), /There are no pretrained/);
});
