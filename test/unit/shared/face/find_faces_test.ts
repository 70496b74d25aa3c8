import assert from "node:assert/strict";
import { distance } from "../../../../shared/distance.ts";
import { type Face, findFaces, similarityOf } from "../../../../shared/face/mod.ts";
import { loadFaceNetworks } from "../../../../shared/face_networks.ts";
import { decode, type Image, resize } from "../../../../shared/image/mod.ts";
import { readModelFiles } from "../../../../shared/model_files.ts";
import { packageFile } from "../../../../shared/package_file.ts";
import { useWasmBackend } from "../../../../shared/tfjs_wasm.ts";
import { createTfjsEmbedder } from "../../../../worker/embedder/tfjs.ts";

await useWasmBackend();
const model = await readModelFiles("samples/face-model");
const networks = await loadFaceNetworks(model.face!);
const embedder = await createTfjsEmbedder(model);
const spec = { input: model.card.input, face: model.card.face! };
const find = (image: Image) => findFaces(image, networks, spec);
/** Photos that come with the npm package, and are read from there. */
const photoOf = async (name: string) => decode(await Deno.readFile(packageFile(`@vladmandic/face-api/demo/${name}`)));
const three = await photoOf("sample3.jpg");

/** A part of a photo, scaled. */
async function part(image: Image, [x, y, width, height]: number[], scale: number, light = 1): Promise<Image> {
  const out = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const rgb = await resize(image, { x, y, width, height }, out.height, out.width);
  const data = new Uint8ClampedArray(out.width * out.height * 4).fill(255);
  for (let i = 0; i < out.width * out.height; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = light * rgb[3 * i + c];
  }
  return { ...out, data };
}

/** The box of a face with as much again on every side. */
const around = ({ box }: Face) => [box.x - box.width, box.y - box.height, 3 * box.width, 3 * box.height];
const faces = await find(three);

Deno.test("findFaces() finds each face of a photo of three people once, the largest first", () => {
  assert.equal(faces.length, 3);
  const areas = faces.map(({ box }) => box.width * box.height);
  assert.deepEqual(areas, areas.toSorted((a, b) => b - a));
  for (const { box, landmarks } of faces) {
    assert.equal(landmarks.length, 68);
    for (const { x, y } of landmarks) {
      assert.ok(x > box.x - 0.3 * box.width && x < box.x + 1.3 * box.width);
      assert.ok(y > box.y - 0.3 * box.height && y < box.y + 1.3 * box.height);
    }
  }
});

Deno.test("findFaces() brings the landmarks of the template near to their places in the embedder's input", () => {
  for (const { landmarks } of faces) {
    const places = model.card.face!.template;
    const { a, b, tx, ty } = similarityOf(places.map(({ landmark }) => landmarks[landmark]), places);
    for (const { landmark, x, y } of places) {
      const point = landmarks[landmark];
      assert.ok(Math.hypot(a * point.x - b * point.y + tx - x, b * point.x + a * point.y + ty - y) < 15);
    }
  }
});

Deno.test("findFaces() finds a face that is small, dark or fills the photo, and it is embedded as the same person", async () => {
  const [person, other] = faces;
  const expected = await embedder.embed(person.pixels), stranger = await embedder.embed(other.pixels);
  const { x, y, width, height } = person.box;
  const photos = {
    small: await part(three, around(person), 0.25),
    dark: await part(three, around(person), 0.5, 0.35),
    close: await part(three, [x, y, width, height], 0.6),
  };
  for (const [name, photo] of Object.entries(photos)) {
    const [face] = await find(photo);
    assert.ok(face !== undefined, name);
    const embedding = await embedder.embed(face.pixels);
    const [same, different] = [distance(embedding, expected), distance(embedding, stranger)];
    assert.ok(same < 0.35 && same < 0.7 * different, `${name}: ${same}, another person ${different}`);
  }
});

Deno.test("findFaces() finds nothing on products", async () => {
  for (const name of ["Lime", "Papaya", "Pineapple", "Aubergine"]) {
    const photo = await decode(await Deno.readFile(`samples/products/test/${name}/01.jpg`));
    assert.deepEqual(await find(photo), []);
  }
});

Deno.test("findFaces() takes a photo of one pixel, and one that is all the same", async () => {
  for (const [width, height] of [[1, 1], [300, 20]]) {
    const data = new Uint8ClampedArray(width * height * 4).fill(127);
    assert.deepEqual(await find({ width, height, data }), []);
  }
});
