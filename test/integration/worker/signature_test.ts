import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { clientOf, model } from "./client.ts";
import { runToEnd, startWorker } from "./process.ts";
import { tinyModel, writeModel } from "./tiny_model.ts";

const folder = await Deno.makeTempDir({ prefix: "triptych-signature-" });
const TRIPTYCH_MODEL = `${folder}/model`,
  SIGNATURE = `${TRIPTYCH_MODEL}/model.json.sig`,
  PRIVATE = `${folder}/private.pem`;
await writeModel(model, TRIPTYCH_MODEL);

/** `deno task keys sign`. */
async function sign(directory = TRIPTYCH_MODEL, privateKey = PRIVATE): Promise<string> {
  const args = ["sign", "--model", directory, "--private-key", privateKey];
  const { code, stdout, stderr } = await runToEnd({}, "scripts/keys.ts", ...args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function complaintOf(env: Record<string, string>): Promise<string> {
  const { code, stderr } = await runToEnd({ TRIPTYCH_MODEL, ...env });
  assert.equal(code, 1);
  return stderr;
}

Deno.test("deno task keys sign makes a key for its owner alone, signs with it again, and takes no other file for one", async () => {
  const first = await sign();
  const signature = await Deno.readTextFile(SIGNATURE);
  assert.equal(await sign(), first);
  assert.equal(await Deno.readTextFile(SIGNATURE), signature, "Ed25519 draws nothing at random");
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(PRIVATE)).mode! & 0o777, 0o600);
  await Deno.writeTextFile(`${folder}/text.pem`, "s3cret");
  for (const args of [["--model", TRIPTYCH_MODEL, "--private-key", `${folder}/text.pem`], []]) {
    const { code, stderr } = await runToEnd({}, "scripts/keys.ts", "sign", ...args);
    assert.equal(code, 2);
    assert.match(stderr, /^error: [^\n]+\.\n$/);
    assert.doesNotMatch(stderr, /s3cret/);
  }
});

Deno.test("a worker with TRIPTYCH_MODEL_KEY serves a model of that key, and no model that is changed, unsigned or another's", async () => {
  const TRIPTYCH_MODEL_KEY = await sign();
  const worker = await startWorker({ TRIPTYCH_MODEL, TRIPTYCH_MODEL_KEY });
  assert.equal((await clientOf(worker.base)("GET /model")).body.fingerprint, model.card.fingerprint);
  await worker.stop();
  const json = await Deno.readTextFile(`${TRIPTYCH_MODEL}/model.json`);
  // A threshold is not in the fingerprint.
  await Deno.writeTextFile(`${TRIPTYCH_MODEL}/model.json`, json.replace('"distance":0.5', '"distance":0.6'));
  assert.match(await complaintOf({ TRIPTYCH_MODEL_KEY }), /^The signature of the model in [^\n]+\n$/);
  await Deno.writeTextFile(`${TRIPTYCH_MODEL}/model.json`, json);
  const others = await sign(TRIPTYCH_MODEL, `${folder}/other.pem`);
  assert.notEqual(others, TRIPTYCH_MODEL_KEY);
  assert.match(await complaintOf({ TRIPTYCH_MODEL_KEY }), /^The signature of the model/);
  for (const damaged of ["", "AAAA", "*"]) {
    await Deno.writeTextFile(SIGNATURE, damaged);
    assert.match(await complaintOf({ TRIPTYCH_MODEL_KEY }), /^The signature of the model/);
  }
  await Deno.remove(SIGNATURE);
  assert.match(await complaintOf({ TRIPTYCH_MODEL_KEY }), /^The model in [^\n]+ is not signed,[^\n]+\n$/);
  assert.equal((await runToEnd({ TRIPTYCH_MODEL, TRIPTYCH_MODEL_KEY: "abc" })).code, 2);
});

Deno.test("weights that are changed under a signed model.json are refused by their SHA-256", async () => {
  const TRIPTYCH_MODEL_KEY = await sign();
  const other = `${folder}/mixed`;
  await writeModel(await tinyModel(2), other);
  for (const name of ["model.json", "model.json.sig"]) {
    await Deno.copyFile(`${TRIPTYCH_MODEL}/${name}`, `${other}/${name}`);
  }
  assert.match(
    await complaintOf({ TRIPTYCH_MODEL: other, TRIPTYCH_MODEL_KEY }),
    /is not the one that its card describes/,
  );
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
Deno.test(
  `OpenSSL takes the signature${hasOpenssl ? "" : " (left out: there is no openssl)"}`,
  { ignore: !hasOpenssl },
  async () => {
    const publicKey = await sign();
    const pem = `-----BEGIN PUBLIC KEY-----\n${publicKey}\n-----END PUBLIC KEY-----\n`;
    await Deno.writeTextFile(`${folder}/public.pem`, pem);
    await Deno.writeFile(`${folder}/signature`, Uint8Array.fromBase64((await Deno.readTextFile(SIGNATURE)).trim()));
    const { status, stderr } = spawnSync("openssl", [
      ...["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", `${folder}/public.pem`],
      ...["-in", `${TRIPTYCH_MODEL}/model.json`, "-sigfile", `${folder}/signature`],
    ]);
    assert.equal(status, 0, String(stderr));
  },
);

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
