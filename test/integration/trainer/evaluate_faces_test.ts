import assert from "node:assert/strict";
import { relative } from "node:path";
import { readModelFiles } from "../../../shared/model_files.ts";
import { runTrainer } from "../../support/command.ts";

const MODEL = "samples/face-model";
const PEOPLE = "../shared/data/orl-faces";
const hasPeople = await Deno.stat(PEOPLE).then(() => true, () => false);
if (!hasPeople) console.log(`No people to recognise: ${PEOPLE}, the ORL Database of Faces, is not there.`);

Deno.test("`evaluate` of a model of faces says that photos without faces are none to judge it by", async () => {
  const data = await Deno.makeTempDir({ prefix: "triptych-faceless-" });
  for (const product of ["Lime", "Papaya"]) {
    await Deno.mkdir(`${data}/${product}`);
    for (const photo of ["01.jpg", "02.jpg"]) {
      await Deno.copyFile(`samples/products/test/${product}/${photo}`, `${data}/${product}/${photo}`);
    }
  }
  const { code, stderr } = await runTrainer("evaluate", "--model", MODEL, "--data", data);
  assert.equal(code, 1);
  assert.match(stderr, /no photos in .* with a face that can be found/);
});

Deno.test({
  name:
    "`evaluate` of the bundled model of faces is what its card says, on people whose photos it finds, aligns and embeds",
  ignore: !hasPeople,
  async fn() {
    const outcome = await runTrainer("evaluate", "--model", MODEL, "--data", PEOPLE, "--json");
    assert.equal(outcome.code, 0, outcome.stderr);
    const { evaluation } = JSON.parse(outcome.stdout);
    const { userDefinedMetadata: { triptych: card } } = JSON.parse(await Deno.readTextFile(`${MODEL}/model.json`));
    assert.equal(evaluation.images, 280);
    assert.equal(evaluation.undetected, 0);
    assert.ok(evaluation.rank1 >= 0.99 && evaluation.eer <= 0.013);
    assert.ok(Math.abs(evaluation.rank1 - card.evaluation.rank1) < 1e-3);
    assert.ok(Math.abs(evaluation.eer - card.evaluation.eer) < 1e-3);
  },
});

Deno.test({
  name: "the preset faces fine-tunes face-resnet on the faces of people's photos, and its model finds them likewise",
  ignore: !hasPeople,
  async fn() {
    const data = await Deno.makeTempDir({ prefix: "triptych-people-" }), out = `${data}/model`;
    const people = (part: string, from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => ({ part, person: `s${String(from + i).padStart(2, "0")}` }));
    const lines = [...people("train", 1, 5), ...people("test", 5, 9)].flatMap(({ part, person }) =>
      [1, 2, 3, 4].map((photo) => `${relative(data, `${PEOPLE}/${person}/${photo}.png`)},${person},${part}`)
    );
    await Deno.writeTextFile(`${data}/photos.csv`, `path,identity,split\n${lines.join("\n")}\n`);
    const settings = ["maxSteps=1", "cachedViews=1", "identitiesPerBatch=4"].flatMap((setting) => ["--set", setting]);
    const options = ["--preset", "faces", "--engine", "wasm", "--out", out, ...settings];
    const outcome = await runTrainer("train", "--data", `${data}/photos.csv`, ...options);
    assert.equal(outcome.code, 0, outcome.stderr);
    const { card, face } = await readModelFiles(out);
    const { card: bundled } = await readModelFiles(MODEL);
    assert.equal(card.domain, "face");
    assert.ok(face !== undefined);
    assert.deepEqual(card.face, bundled.face);
    assert.equal(card.evaluation.undetected, 0);
    assert.ok(card.evaluation.rank1! > 0.9);
    assert.deepEqual(card.goldens.map(({ input }) => input), bundled.goldens.map(({ input }) => input));
    await Deno.remove(data, { recursive: true });
  },
});
