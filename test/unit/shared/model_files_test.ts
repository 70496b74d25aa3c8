import assert from "node:assert/strict";
import { ModelError } from "../../../shared/errors.ts";
import { fileNamesOf, readModelFiles } from "../../../shared/model_files.ts";

const MODEL = "samples/model";
const FACES = "samples/face-model";

async function copyOf(model: string): Promise<string> {
  const directory = await Deno.makeTempDir();
  for await (const { name } of Deno.readDir(model)) await Deno.copyFile(`${model}/${name}`, `${directory}/${name}`);
  return directory;
}

async function assertRefused(directory: string, says: RegExp) {
  await assert.rejects(
    () => readModelFiles(directory),
    (error) => error instanceof ModelError && says.test(error.message),
  );
}

Deno.test("readModelFiles() reads the bundled model from disk and over HTTP alike", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const name = new URL(request.url).pathname;
    return new Response(await Deno.readFile(`${MODEL}${name}`).catch(() => null));
  });
  try {
    const local = await readModelFiles(MODEL);
    assert.deepEqual(await readModelFiles(`http://127.0.0.1:${server.addr.port}/`), local);
    assert.match(local.card.fingerprint, /^sha256:[0-9a-f]{64}$/);
  } finally {
    await server.shutdown();
  }
});

Deno.test("readModelFiles() refuses weights, graph or preprocessing that are not those of the card", async () => {
  const weights = await copyOf(MODEL);
  const shard = `${weights}/${(await readModelFiles(MODEL)).modelJson.weightsManifest[0].paths[0]}`;
  const bytes = await Deno.readFile(shard);
  bytes[1000] ^= 1;
  await Deno.writeFile(shard, bytes);
  await assertRefused(weights, /not the one that its card describes/);

  for (const [from, to] of [[btoa("Relu6"), btoa("Rely6")], ['"fit":"cover"', '"fit":"contain"']]) {
    const directory = await copyOf(MODEL);
    const text = await Deno.readTextFile(`${directory}/model.json`);
    assert(text.includes(from));
    await Deno.writeTextFile(`${directory}/model.json`, text.replace(from, to));
    await assertRefused(directory, /not the one that its card describes/);
  }
});

Deno.test("readModelFiles() says what is missing or not ours", async () => {
  await assertRefused("/nowhere", /Cannot read \/nowhere\/model.json: there is no such file/);
  const directory = await copyOf(MODEL);
  await Deno.writeTextFile(`${directory}/model.json`, "{");
  await assertRefused(directory, /not JSON/);
  await Deno.writeTextFile(`${directory}/model.json`, JSON.stringify({ format: "layers-model" }));
  await assertRefused(directory, /not a tfjs graph model/);
  const { card: _, modelJson } = await readModelFiles(MODEL);
  await Deno.writeTextFile(`${directory}/model.json`, JSON.stringify({ ...modelJson, userDefinedMetadata: {} }));
  await assertRefused(directory, /no model card/);
  const modelTopology = { node: [{ name: "x", attr: {} }] };
  await Deno.writeTextFile(`${directory}/model.json`, JSON.stringify({ ...modelJson, modelTopology }));
  await assertRefused(directory, /not a tfjs graph model, at modelTopology.node.0.op;/);
});

Deno.test("readModelFiles() reads the networks that find faces, and refuses others in their place", async () => {
  const model = await readModelFiles(FACES);
  assert.deepEqual(Object.keys(model.face!), ["detector", "refiner", "landmarks"]);
  const names = (await Array.fromAsync(Deno.readDir(FACES))).map(({ name }) => name).filter((name) =>
    name !== "README.md"
  );
  assert.deepEqual(fileNamesOf(model).sort(), names.sort());

  for (const file of ["detector.bin", "refiner.json", "landmarks.bin"]) {
    const directory = await copyOf(FACES);
    const bytes = await Deno.readFile(`${directory}/${file}`);
    const name = file.replace(".bin", ".json");
    if (file.endsWith(".bin")) bytes[100] ^= 1;
    else bytes.set(new TextEncoder().encode("2"), new TextDecoder().decode(bytes).indexOf('"producer":1') + 11);
    await Deno.writeFile(`${directory}/${file}`, bytes);
    await assertRefused(directory, new RegExp(`${name} is not the network that the model card names`));
  }
});

Deno.test("readModelFiles() refuses a card that finds faces in another way than its fingerprint says", async () => {
  const directory = await copyOf(FACES);
  const text = await Deno.readTextFile(`${directory}/model.json`);
  assert(text.includes('"minScore":0.4'));
  await Deno.writeTextFile(`${directory}/model.json`, text.replace('"minScore":0.4', '"minScore":0.2'));
  await assertRefused(directory, /not the one that its card describes/);
});
