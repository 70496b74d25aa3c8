import assert from "node:assert/strict";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { type Client, clientOf, model, newApp } from "./client.ts";
import { runToEnd, startWorker, type WorkerProcess } from "./process.ts";
import { picture, writeModel } from "./tiny_model.ts";

const SHOP = "https://shop.example";
const folder = await Deno.makeTempDir({ prefix: "triptych-keys-" });
const TRIPTYCH_MODEL = `${folder}/model`;
await writeModel(model, TRIPTYCH_MODEL);
const image = await picture(1);
let files = 0;

/** A file of keys, and `deno task keys` on it. */
function keyFile() {
  const TRIPTYCH_KEYS = `${folder}/keys/${files++}.json`;
  const keys = (...args: string[]) => runToEnd({ TRIPTYCH_KEYS }, "scripts/keys.ts", ...args);
  const add = async (...args: string[]) => {
    const { code, stdout, stderr } = await keys("add", ...args);
    assert.equal(code, 0, stderr);
    return { key: stdout.trim(), id: /^Made (\w+):/.exec(stderr)?.[1] ?? "" };
  };
  return { TRIPTYCH_KEYS, keys, add };
}

async function withWorker(env: Record<string, string>, use: (worker: WorkerProcess, call: Client) => Promise<void>) {
  const worker = await startWorker({ TRIPTYCH_MODEL, ...env });
  try {
    await use(worker, clientOf(worker.base));
  } finally {
    await worker.stop();
  }
}

function bearer(key: string, headers: Record<string, string> = {}) {
  return { image, headers: { authorization: `Bearer ${key}`, ...headers } };
}

Deno.test("deno task keys add prints a key of 256 random bits once, and keeps its SHA-256 alone, for its owner alone", async () => {
  const { TRIPTYCH_KEYS, keys, add } = keyFile();
  const first = await add("--scopes", "match"), second = await add("--scopes", "enroll,match");
  assert.match(first.key, /^triptych_[\w-]{43}$/);
  assert.notEqual(first.key, second.key);
  const text = await Deno.readTextFile(TRIPTYCH_KEYS);
  for (const { key } of [first, second]) assert.ok(!text.includes(key.slice("triptych_".length)));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(first.key)));
  assert.equal(JSON.parse(text).keys[0].hash, `sha256:${digest.toHex()}`);
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(TRIPTYCH_KEYS)).mode! & 0o777, 0o600);
  const { stdout } = await keys("list");
  assert.equal(
    stdout,
    `${first.id}: match; all collections; anywhere; no limit\n${second.id}: enroll, match; all collections; anywhere; no limit\n`,
  );
});

Deno.test("keys that are made at the same time are all kept", async () => {
  const { keys, add } = keyFile();
  const made = await Promise.all(Array.from({ length: 4 }, () => add("--scopes", "match")));
  const { stdout } = await keys("list");
  assert.deepEqual(stdout.match(/^\w+/gm)?.sort(), made.map(({ id }) => id).sort());
});

Deno.test("a key that could enrol, or do all, is never bound to origins, where everybody could read it", async () => {
  const { keys } = keyFile();
  for (const scopes of ["enroll", "admin", "match,enroll"]) {
    const { code, stderr } = await keys("add", "--scopes", scopes, "--origins", SHOP);
    assert.equal(code, 2);
    assert.match(stderr, /^error: There can be no such key: .*no scope but match and verify\.\n$/);
  }
});

Deno.test("deno task keys says what is wrong in a sentence, with 2 for wrong usage and 1 for a file that it cannot read", async () => {
  const { keys } = keyFile();
  const wrong = [
    [],
    ["add"],
    ["add", "--scopes", "owner"],
    ["add", "--scopes", "match", "--origins", "shop.example"],
    ["add", "--scopes", "match", "--rate", "many"],
    ["add", "--scopes", "match", "--rate", "0"],
    ["add", "--scopes", "match", "--subject-rate", "0"],
    ["remove", "x"],
    ["--nope"],
  ];
  for (const args of wrong) {
    const { code, stderr } = await keys(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, /^error: [^\n]+\.\n$/);
  }
  assert.equal((await keys("list")).code, 1);
  assert.equal((await runToEnd({ TRIPTYCH_KEYS: "match:k" }, "scripts/keys.ts", "list")).code, 2);
});

Deno.test("the key of a gallery is 32 random bytes, alone on the standard output", async () => {
  const make = async () => (await runToEnd({}, "scripts/keys.ts", "gallery")).stdout;
  const [first, second] = await Promise.all([make(), make()]);
  assert.match(first, /^[A-Za-z0-9+/]{43}=\n$/);
  assert.notEqual(first, second);
});

Deno.test("a revoked key is refused by a running worker within two seconds, and a new one is let in", async () => {
  const { TRIPTYCH_KEYS, keys, add } = keyFile();
  const old = await add("--scopes", "match");
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    assert.equal((await call("POST /embed", bearer(old.key))).status, 200);
    const fresh = await add("--scopes", "match");
    assert.equal((await keys("revoke", old.id)).code, 0);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.equal((await call("POST /embed", bearer(old.key))).status, 401);
    assert.equal((await call("POST /embed", bearer(fresh.key))).status, 200);
    assert.equal((await keys("revoke", old.id)).code, 2);
  });
});

Deno.test("a key bound to origins works for requests from their pages alone, which need not be listed elsewhere", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  const { key } = await add("--scopes", "match", "--origins", SHOP);
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    const answer = await call("POST /embed", bearer(key, { origin: SHOP }));
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, SHOP]);
    for (const headers of [{}, { origin: "https://evil.example" }, { origin: `${SHOP}.evil.example` }]) {
      const refused = await call("POST /embed", bearer(key, headers));
      assert.equal(refused.status, 403);
      assert.match(refused.body.detail, /origins/);
      assert.equal(refused.headers.get("access-control-allow-origin"), null);
    }
    const asked = { "access-control-request-method": "POST", "access-control-request-headers": "authorization" };
    const preflight = await call("OPTIONS /embed", { headers: { origin: SHOP, ...asked } });
    assert.equal(preflight.headers.get("access-control-allow-origin"), SHOP);
    const enrol = await call("POST /collections/c/subjects/s/images", bearer(key, { origin: SHOP }));
    assert.equal(enrol.status, 403);
  });
});

Deno.test("a key limited to collections gets 403 for every other one, wherever it is named, and sees none of them", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  const all = await add("--scopes", "admin"),
    limited = await add("--scopes", "admin", "--collections", "products,café");
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    for (const collection of ["products", "caf%C3%A9", "people"]) {
      const made = await call(`POST /collections/${collection}/subjects/s/images`, bearer(all.key));
      assert.equal(made.status, 201);
    }
    const { body } = await call("GET /collections", { headers: bearer(limited.key).headers });
    assert.deepEqual(body.collections.map(({ collection }: { collection: string }) => collection), [
      "café",
      "products",
    ]);
    const verify = (collection: string) => {
      const json = { a: image.toBase64(), b: { collection, subject: "s" } };
      return call("POST /verify", { json, headers: bearer(limited.key).headers });
    };
    assert.deepEqual([(await verify("products")).status, (await verify("people")).status], [200, 403]);
    const { headers } = bearer(limited.key);
    const status = async (route: string, collection: string) =>
      (await call(`${route.replace("COLLECTION", collection)}`, /^POST/.test(route) ? { image, headers } : { headers }))
        .status;
    for (
      const route of [
        "POST /match?collection=COLLECTION",
        "GET /collections/COLLECTION",
        "PUT /collections/COLLECTION",
        "GET /collections/COLLECTION/subjects",
        "GET /collections/COLLECTION/subjects/s",
        "PUT /collections/COLLECTION/subjects/s",
        "POST /collections/COLLECTION/subjects/s/images",
        "DELETE /collections/COLLECTION/subjects/s/images/i",
        "DELETE /collections/COLLECTION/subjects/s",
        "DELETE /collections/COLLECTION",
      ]
    ) {
      assert.equal(await status(route, "people"), 403, route);
      assert.notEqual(await status(route, "products"), 403, route);
      assert.notEqual(await status(route, "cafe%CC%81"), 403, route);
    }
    assert.equal((await call("POST /match", bearer(limited.key))).status, 403);
    assert.equal((await call("GET /collections/people", { headers: bearer(all.key).headers })).status, 200);
  });
});

Deno.test("a key with a rate gets so many answers a minute, then 429 that says when to come back; others are not held up", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  const limited = await add("--scopes", "match", "--rate", "3"), free = await add("--scopes", "match");
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    for (const left of [2, 1, 0]) {
      const { status, headers } = await call("POST /embed", bearer(limited.key));
      assert.equal(status, 200);
      assert.equal(headers.get("ratelimit-policy"), '"key";q=3;w=60');
      assert.match(headers.get("ratelimit") ?? "", new RegExp(`^"key";r=${left};t=(60|5\\d)$`));
    }
    const { status, headers, body } = await call("POST /embed", bearer(limited.key));
    assert.deepEqual([status, body.status, body.title], [429, 429, "Too Many Requests"]);
    assert.equal(headers.get("content-type"), "application/problem+json");
    const seconds = Number(headers.get("retry-after"));
    assert.ok(seconds > 40 && seconds <= 60, `retry after ${seconds} s`);
    assert.equal(headers.get("ratelimit"), `"key";r=0;t=${seconds}`);
    const other = await call("POST /embed", bearer(free.key));
    assert.deepEqual([other.status, other.headers.get("ratelimit")], [200, null]);
  });
});

Deno.test("a limit is told of with errors too, and a public key has one unless it is given another", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  const { key } = await add("--scopes", "match", "--origins", SHOP);
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    const { status, headers } = await call("POST /match?k=0", bearer(key, { origin: SHOP }));
    assert.deepEqual([status, headers.get("ratelimit-policy")], [400, '"key";q=600;w=60']);
    assert.match(headers.get("access-control-expose-headers") ?? "", /ratelimit,ratelimit-policy/);
  });
});

Deno.test("a file of keys that cannot be read lets nobody in: at the start in a sentence, later with 503, until it can", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  const missing = await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_KEYS });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^Cannot read the keys in [^\n]+; make such a file with `deno task keys add`\.\n$/);
  await Deno.writeTextFile(`${folder}/plain.json`, "s3cret");
  const plain = await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_KEYS: `${folder}/plain.json` });
  assert.equal(plain.code, 1);
  assert.doesNotMatch(plain.stderr, /s3cret/);
  const { key } = await add("--scopes", "match");
  const good = await Deno.readTextFile(TRIPTYCH_KEYS);
  await withWorker({ TRIPTYCH_KEYS }, async (_, call) => {
    const after = async (text: string) => {
      await Deno.writeTextFile(TRIPTYCH_KEYS, text);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return await call("POST /embed", bearer(key));
    };
    for (const bad of ["", '{"keys": [{"id": "x"}]}', good.replace('"match"', '"owner"')]) {
      const { status, headers, body } = await after(bad);
      assert.deepEqual([status, headers.get("retry-after")], [503, "10"]);
      assert.ok(!body.detail.includes(TRIPTYCH_KEYS));
    }
    assert.equal((await after(good)).status, 200);
  });
});

Deno.test("a file that binds an enrolling key to origins is refused, whoever wrote it", async () => {
  const { TRIPTYCH_KEYS, add } = keyFile();
  await add("--scopes", "match", "--origins", SHOP);
  const text = await Deno.readTextFile(TRIPTYCH_KEYS);
  await Deno.writeTextFile(TRIPTYCH_KEYS, text.replace('"match"', '"enroll"'));
  const { code, stderr } = await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_KEYS });
  assert.equal(code, 1);
  assert.match(stderr, /no scope but match/);
});

Deno.test("keys that stand in TRIPTYCH_KEYS itself may be several entries of one key: it has the scopes of all", async () => {
  const { call } = newApp({ keys: parseKeys("match:k, enroll:k") });
  const { headers } = bearer("k");
  assert.equal((await call("POST /embed", { image, headers })).status, 200);
  assert.equal((await call("GET /collections", { headers })).status, 200);
  assert.equal((await call("PUT /collections/c", { headers })).status, 403);
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
