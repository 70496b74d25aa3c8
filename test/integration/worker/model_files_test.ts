import assert from "node:assert/strict";
import { io } from "@tensorflow/tfjs-core";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import { readModelFiles } from "../../../shared/model_files.ts";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { model, newApp } from "./client.ts";

const { fingerprint } = model.card;
const headers = { authorization: "Bearer k" };

Deno.test("/model/files/{fingerprint} is the model as a directory, which has its fingerprint", async () => {
  const { app } = newApp({ keys: parseKeys("match:k") });
  const url = `http://localhost/model/files/${fingerprint}`;
  const { card, weights } = await readModelFiles(url, async (file) => await app.request(file, { headers }));
  assert.deepEqual(card, model.card);
  assert.deepEqual(weights, model.weights);
});

Deno.test("stock tfjs loads the model from there", async () => {
  const { app } = newApp();
  const network = await loadGraphModel(
    io.http(`http://localhost/model/files/${fingerprint}/model.json`, {
      fetchFunc: async (url: string | URL | Request) => await app.request(String(url)),
    }),
  );
  assert.deepEqual(network.inputs[0].shape?.slice(1), [8, 8, 3]);
  network.dispose();
});

Deno.test("the model's files need a key with the scope match, and may be kept for good, since a fingerprint names them", async () => {
  const { call } = newApp({ keys: parseKeys("match:k,enroll:writer") });
  for (const file of ["model.json", "weights.bin"]) {
    const route = `GET /model/files/${fingerprint}/${file}`;
    assert.equal((await call(route)).status, 401);
    assert.equal((await call(route, { headers: { authorization: "Bearer writer" } })).status, 403);
    const answer = await call(route, { headers });
    assert.equal(answer.headers.get("cache-control"), "private, max-age=31536000, immutable");
    const other = await call(route.replace(fingerprint, `sha256:${"0".repeat(64)}`), { headers });
    assert.deepEqual([other.status, other.headers.get("cache-control")], [404, "no-store"]);
  }
});
