import assert from "node:assert/strict";
import type { Page, Request } from "playwright-core";
import type { createClient, MatchAnswer } from "../../../../worker/client.ts";
import { addKey } from "../../../../worker/keys/key_file.ts";
import { noBrowser, startBrowser } from "../../../support/browser.ts";
import { encodeJpeg } from "../../../support/images.ts";
import { clientOf } from "../client.ts";
import { startWorker } from "../process.ts";

/** What the pages of these tests have. */
interface Shop {
  /** By whether images stay in the page. */
  clients: Record<"remote" | "local", ReturnType<typeof createClient>>;
  /** The image that was uploaded last, where that is looked at. */
  sent: File;
}

const PRODUCTS = "samples/products/test";
const products = Array.from(Deno.readDirSync(PRODUCTS)).map(({ name }) => name).sort().slice(0, 6);
const photoOf = (product: string, number = 1) => Deno.readFile(`${PRODUCTS}/${product}/0${number}.jpg`);
const query = await photoOf(products[2], 2);

/** A shop's page with the client, on an origin of its own, with a key that is bound to it. */
async function inPage(use: (page: Page, worker: string, key: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "triptych-browser-" });
  let html = "";
  const shop = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    return new Response(html, { headers: { "content-type": "text/html" } });
  });
  const origin = `http://127.0.0.1:${shop.addr.port}`;
  const TRIPTYCH_KEYS = `${folder}/keys.json`;
  const admin = await addKey(TRIPTYCH_KEYS, { scopes: ["admin"] });
  const { key } = await addKey(TRIPTYCH_KEYS, { scopes: ["match"], origins: [origin], collections: ["products"] });
  const worker = await startWorker({ TRIPTYCH_KEYS });
  html = `<!doctype html><script type="module">
    import { createClient } from "${worker.base}/client.js";
    const key = "${key}";
    window.clients = {
      remote: createClient("${worker.base}", { key }),
      local: createClient("${worker.base}", { key, embedLocally: true }),
    };
  </script>`;
  const browser = await startBrowser();
  try {
    const call = clientOf(worker.base), headers = { authorization: `Bearer ${admin.key}` };
    for (const product of products) {
      const image = await photoOf(product);
      await call(`POST /collections/products/subjects/${product}/images`, { image, headers });
    }
    const page = await browser.newPage();
    await page.goto(origin);
    await page.waitForFunction("window.clients");
    await use(page, worker.base, key);
  } finally {
    await browser.close();
    await worker.stop();
    await shop.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** In the page: matches an image given as what a page may have. */
function matchIn(page: Page, client: "remote" | "local", kind: string, image: Uint8Array): Promise<MatchAnswer> {
  return page.evaluate(async ({ client, kind, base64 }) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const file = new File([bytes], "photo.jpg", { type: "image/jpeg" });
    const { match } = (globalThis as unknown as Shop).clients[client];
    const options = { collection: "products" };
    if (kind === "file") return await match(file, options);
    if (kind === "bytes") return await match(bytes, options);
    const element = new Image();
    element.src = URL.createObjectURL(file);
    if (kind === "image") return await match(element, options);
    await element.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: element.width, height: element.height });
    const context = canvas.getContext("2d")!;
    const video = Object.assign(document.createElement("video"), { srcObject: canvas.captureStream(), muted: true });
    const painting = setInterval(() => context.drawImage(element, 0, 0), 20);
    await video.play();
    const answer = await match(video, options);
    clearInterval(painting);
    return answer;
  }, { client, kind, base64: image.toBase64() });
}

function distances({ matches }: MatchAnswer): Map<string, number> {
  return new Map(matches.map(({ subject, distance }) => [subject, distance]));
}

function largestDifference(a: MatchAnswer, b: MatchAnswer): number {
  const other = distances(b);
  return Math.max(...[...distances(a)].map(([subject, distance]) => Math.abs(distance - (other.get(subject) ?? NaN))));
}

function browserTest(name: string, use: Parameters<typeof inPage>[0]): void {
  const reason = noBrowser === null ? "" : ` (not tested: ${noBrowser})`;
  Deno.test({ name: `${name}${reason}`, ignore: noBrowser !== null, fn: () => inPage(use) });
}

browserTest("a page of another origin matches files, bytes, images and frames of videos", async (page) => {
  const enrolled = await matchIn(page, "remote", "file", await photoOf(products[2]));
  assert.equal(enrolled.matches[0].subject, products[2]);
  const file = await matchIn(page, "remote", "file", query);
  assert.equal(file.matches.length, 5);
  assert.equal(largestDifference(await matchIn(page, "remote", "bytes", query), file), 0);
  for (const [kind, tolerance] of [["image", 0.01], ["video", 0.01]] as const) {
    const difference = largestDifference(await matchIn(page, "remote", kind, query), file);
    assert.ok(difference < tolerance, `${kind}: ${difference}`);
  }
});

browserTest("with embedLocally no image leaves the page, and the distances are those of the worker", async (page) => {
  const remote = await matchIn(page, "remote", "file", query);
  const sent: Request[] = [];
  page.on("request", (request) => sent.push(request));
  for (const kind of ["file", "bytes"]) {
    const difference = largestDifference(await matchIn(page, "local", kind, query), remote);
    assert.ok(difference < 1e-4, `${kind}: ${difference}`);
  }
  for (const kind of ["image", "video"]) {
    const local = await matchIn(page, "local", kind, query);
    assert.equal(local.matches[0].subject, remote.matches[0].subject, kind);
  }
  const posts = sent.filter((request) => !["GET", "OPTIONS"].includes(request.method()));
  assert.equal(posts.length, 4);
  for (const post of posts) {
    const { embedding, fingerprint, ...more } = post.postDataJSON();
    assert.deepEqual([embedding.length, fingerprint, more], [128, remote.fingerprint, {}]);
  }
  const loaded = sent.filter((request) => /\/(model|client)\//.test(request.url())).map((request) => request.url());
  assert.equal(new Set(loaded).size, loaded.length, "the model is loaded once");
});

browserTest(
  "a large photo is drawn smaller before it is sent, which hardly moves the distances",
  async (page, worker, key) => {
    const large = await enlarged(query, 4000, 3000);
    await page.evaluate(() => {
      const fetch = globalThis.fetch;
      globalThis.fetch = (input, init) => {
        if (init?.body instanceof FormData) (globalThis as unknown as Shop).sent = init.body.get("image") as File;
        return fetch(input, init);
      };
    });
    const drawn = await matchIn(page, "remote", "file", large);
    const sent = await page.evaluate(async () => {
      const { sent } = globalThis as unknown as Shop;
      const { width, height } = await createImageBitmap(sent);
      return { width, height, bytes: sent.size };
    });
    assert.deepEqual([sent.width, sent.height], [427, 320]);
    assert.ok(sent.bytes < large.length / 5, `${sent.bytes} of ${large.length} bytes`);
    const origin = new URL(page.url()).origin;
    const { body: whole } = await clientOf(worker)("POST /match?collection=products", {
      image: large,
      headers: { authorization: `Bearer ${key}`, origin },
    });
    const difference = largestDifference(drawn, whole);
    assert.ok(difference < 0.01, String(difference));
    const local = await matchIn(page, "local", "file", large);
    assert.ok(largestDifference(local, whole) < 1e-4);
  },
);

browserTest("what is no image is refused in the page by the sentence of the worker", async (page) => {
  for (const client of ["remote", "local"] as const) {
    const sentence = await matchIn(page, client, "file", new Uint8Array([1, 2, 3])).catch(String);
    assert.match(String(sentence), /JPEG, PNG/);
  }
});

/** The photo scaled up, as a camera would have taken it. */
async function enlarged(jpeg: Uint8Array, width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  const { decode, resize } = await import("../../../../shared/image/mod.ts");
  const image = await decode(jpeg);
  const rgb = await resize(image, { x: 0, y: 0, width: image.width, height: image.height }, height, width);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = rgb[3 * i + c];
  return await encodeJpeg(rgba, width, height);
}
