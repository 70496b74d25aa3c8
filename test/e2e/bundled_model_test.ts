import assert from "node:assert/strict";
import { cosine } from "../../shared/distance.ts";
import { decode, encodePng, fitPixels, type Image, normalize, resize, toInputPixels } from "../../shared/image/mod.ts";
import { readModelFiles } from "../../shared/model_files.ts";
import { detailedPicture } from "../../scripts/bench/decode/pictures.ts";
import { startWorker } from "../../scripts/worker_process.ts";
import { runTrainer } from "../support/command.ts";
import { createTfjsEmbedder } from "../../worker/embedder/tfjs.ts";
import { encodeJpeg, quarters, withOrientation } from "../support/images.ts";

const MODEL = "samples/model";
const PHOTO = await Deno.readFile("samples/products/test/Lime/01.jpg");
const { card } = await readModelFiles(MODEL);

interface Answer {
  status: number;
  type: string;
  body: { embedding?: number[]; title?: string; status?: number; detail?: string };
}

async function send(url: string, body: BodyInit, type = "image/jpeg"): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return { status: response.status, type: response.headers.get("content-type") ?? "", body: await response.json() };
}

Deno.test("the bundled model is judged by `evaluate` as its card says, and its card keeps what the README promises", async () => {
  const outcome = await runTrainer("evaluate", "--model", MODEL, "--data", "samples/products", "--json");
  assert.equal(outcome.code, 0, outcome.stderr);
  const { fingerprint, evaluation } = JSON.parse(outcome.stdout);
  assert.equal(fingerprint, card.fingerprint);
  assert.equal(evaluation.recallAt1, card.evaluation.recallAt1);
  assert(Math.abs(evaluation.eer - card.evaluation.eer) < 1e-4);
  const { untrained } = JSON.parse(await Deno.readTextFile(`${MODEL}/metrics.json`));
  assert(evaluation.recallAt1 >= 1.5 * untrained.recallAt1);
  assert(card.quantization.meanCosine >= 0.999);
  assert(card.quantization.recallAt1Delta >= -0.01);
  assert(card.quantization.bytes <= 5.2e6);
});

Deno.test("the bundled model embeds large photos, which are decoded smaller, as it embeds the whole of them", async () => {
  const embedder = await createTfjsEmbedder(await readModelFiles(MODEL));
  const { width, height } = card.input;
  const products = (await Array.fromAsync(Deno.readDir("samples/products/test"))).map(({ name }) => name).sort();
  for (const [i, times] of [4, 4, 4, 4, 8, 8].entries()) {
    const photo = await decode(await Deno.readFile(`samples/products/test/${products[i]}/01.jpg`));
    const large = await enlarged(photo, times * width, times * height, i);
    const whole = await embedder.embed(await fitPixels(await decode(large), card.input));
    const agreement = cosine(whole, await embedder.embed(await toInputPixels(large, card.input)));
    assert(agreement >= 0.998 && agreement < 0.999999, `${products[i]}, ${times} times as large: ${agreement}`);
  }
});

Deno.test("a stock tfjs program computes from model.json what /embed answers", async () => {
  const worker = await startWorker({ TRIPTYCH_MODEL: MODEL, TRIPTYCH_GALLERY: "memory:", PORT: "0" });
  const files = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    return new Response(await Deno.readFile(MODEL + new URL(request.url).pathname));
  });
  const tensor = await Deno.makeTempFile();
  try {
    const input = normalize(await toInputPixels(PHOTO, card.input), card.input);
    await Deno.writeFile(tensor, new Uint8Array(input.buffer));
    const stock = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-net",
        "--allow-read",
        "--allow-env",
        "test/support/stock_tfjs.ts",
        `http://127.0.0.1:${files.addr.port}/model.json`,
        tensor,
      ],
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stock.stdout).trim().split("\n");
    const expected = JSON.parse(lines[lines.length - 1]) as number[];
    const { body } = await send(`${worker.url}/embed`, PHOTO);
    assert(cosine(body.embedding!, expected) >= 0.9999, `cosine ${cosine(body.embedding!, expected)}`);
  } finally {
    await Promise.all([worker.stop(), files.shutdown()]);
  }
});

Deno.test("every bad input gets its status and one sentence, and the next good request works", async (t) => {
  const worker = await startWorker({ TRIPTYCH_MODEL: MODEL, TRIPTYCH_GALLERY: "memory:", PORT: "0" });
  try {
    const expected = (await send(`${worker.url}/embed`, PHOTO)).body.embedding;
    const bad: [name: string, path: string, body: BodyInit, type: string, status: number][] = [
      ["an empty body", "/embed", new Uint8Array(0), "image/jpeg", 400],
      ["a text file named .jpg", "/embed", new TextEncoder().encode("shopping list"), "image/jpeg", 415],
      ["a truncated JPEG", "/embed", PHOTO.slice(0, PHOTO.length / 2), "image/jpeg", 422],
      ["JSON that is not", "/match", "{", "application/json", 400],
      ["an unknown collection", "/match?collection=nowhere", PHOTO, "image/jpeg", 404],
    ];
    for (const [name, path, body, type, status] of bad) {
      await t.step(`${name}: ${status}`, async () => {
        const answer = await send(worker.url + path, body, type);
        assert.equal(answer.status, status);
        assert.match(answer.type, /^application\/problem\+json/);
        assert.equal(answer.body.status, status);
        assert.match(answer.body.detail!, /^[^\n]{20,300}\.$/);
        assert.deepEqual((await send(`${worker.url}/embed`, PHOTO)).body.embedding, expected);
      });
    }
    await t.step("a picture of one pixel and a turned photo of 12 megapixels are images: 200", async () => {
      const pixel = await encodePng(Uint8Array.of(200, 30, 30), 1, 1, 3);
      assert.equal((await send(`${worker.url}/embed`, pixel, "image/png")).status, 200);
      const upright = await send(`${worker.url}/embed`, await encodeJpeg(quarters(3000, 4000), 3000, 4000, 60));
      const turned = withOrientation(await encodeJpeg(quartersTurned(), 4000, 3000, 60), 6);
      const answer = await send(`${worker.url}/embed`, turned);
      assert.equal(answer.status, 200);
      assert(cosine(answer.body.embedding!, upright.body.embedding!) > 0.999);
    });
  } finally {
    await worker.stop();
  }
});

/** What a camera that was held upright stores of `quarters(3000, 4000)`: turned a quarter to the left. */
function quartersTurned(): Uint8ClampedArray<ArrayBuffer> {
  const upright = new Uint32Array(quarters(3000, 4000).buffer);
  const stored = new Uint32Array(4000 * 3000);
  for (let y = 0; y < 4000; y++) {
    for (let x = 0; x < 3000; x++) stored[(2999 - x) * 4000 + y] = upright[y * 3000 + x];
  }
  return new Uint8ClampedArray(stored.buffer);
}

/** A JPEG of a photo scaled up, with the detail that a camera would have seen. */
async function enlarged(photo: Image, width: number, height: number, seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const data = Uint8ClampedArray.from((await detailedPicture(width, height, seed)).data);
  const rgb = await resize(photo, { x: 0, y: 0, width: photo.width, height: photo.height }, height, width);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = rgb[3 * i + c] + (data[4 * i + c] - 128) / 3;
  }
  return await encodeJpeg(data, width, height);
}
