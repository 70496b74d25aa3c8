import assert from "node:assert/strict";
import config from "../../../../deno.json" with { type: "json" };
import { parseKeys } from "../../../../worker/keys/key_source.ts";
import { newApp } from "../client.ts";

const DIST = "worker/client/dist";

Deno.test("the bundles are what deno task client makes of the sources", async () => {
  const folder = await Deno.makeTempDir({ prefix: "triptych-bundle-" });
  try {
    for (const command of config.tasks.client.command.replaceAll(DIST, folder).split(" && ")) {
      const [, ...args] = command.split(" ");
      const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    for (const file of ["client.js", "local.js", "tfjs.js"]) {
      const [made, kept] = await Promise.all([folder, DIST].map((place) => Deno.readTextFile(`${place}/${file}`)));
      assert.ok(made === kept, `${DIST}/${file} is not of these sources: run deno task client`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("/client.js is one small ES module that imports nothing, for everybody to read", async () => {
  const { call } = newApp({ keys: parseKeys("match:k") });
  const { status, headers, body } = await call("GET /client.js");
  assert.deepEqual([status, headers.get("content-type")], [200, "text/javascript; charset=utf-8"]);
  assert.ok(body.length < 12_000, `${body.length} bytes`);
  assert.doesNotMatch(body, /\bimport\s*["'{*]|\bfrom\s*["']|\brequire\(/);
  const { createClient } = await import(`data:text/javascript,${encodeURIComponent(body)}`);
  assert.equal(typeof createClient("http://localhost").match, "function");
});

Deno.test("what the client loads is not sent again while it stays the same", async () => {
  const { call } = newApp();
  for (const path of ["/client.js", "/client/local.js", "/client/jpeg.wasm"]) {
    const etag = (await call(`GET ${path}`)).headers.get("etag") ?? "";
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const { status, body, headers } = await call(`GET ${path}`, { headers: { "if-none-match": known } });
      assert.deepEqual([status, body, headers.get("etag")], [304, "", etag]);
    }
    assert.equal((await call(`GET ${path}`, { headers: { "if-none-match": '"other"' } })).status, 200);
  }
});
