import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { framed, squareAround } from "../../shared/face/mod.ts";
import { decode, encodePng, resize } from "../../shared/image/mod.ts";
import { readModelFiles } from "../../shared/model_files.ts";
import { packageFile } from "../../shared/package_file.ts";
import { createTfjsLazily } from "../../worker/embedder/lazy_tfjs.ts";
import { openEmbedder } from "../../worker/embedder/open.ts";
import { createMemoryGallery } from "../../worker/gallery/memory.ts";
import { newApp } from "../integration/worker/client.ts";
import { noBrowser, startBrowser, visit } from "../support/browser.ts";
import { videoOf } from "../support/y4m.ts";

const MODEL = "samples/face-model";
const files = await readModelFiles(MODEL);
const { card, modelJson } = files;
const { embedder, look } = await openEmbedder(files, createTfjsLazily);
/** A photo of three people, which comes with the npm package, and is read from there. */
const three = await Deno.readFile(packageFile("@vladmandic/face-api/demo/sample3.jpg"));
const photo = await decode(three);
const sights = await look(three);

/** One of them, and what is around the face. */
async function portraitOf(person: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
  return await framed(photo, squareAround(sights[person].face!.box, 0.25), size);
}

/** A video of 640 x 480 that shows one of them. */
async function videoFile(person: number): Promise<string> {
  const { box } = sights[person].face!, height = 1.6 * box.height, width = height * 640 / 480;
  const part = { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
  const file = await Deno.makeTempFile({ suffix: ".y4m" });
  await Deno.writeFile(file, videoOf(await resize(photo, part, 480, 640), 480, 640));
  return file;
}

interface Visit {
  page: Page;
  call: ReturnType<typeof newApp>["call"];
  /** What the page sent: method, path and content type. */
  sent: string[];
}

/** Opens the playground of a worker of faces, before whose camera is the first of the people. */
function inBrowser(name: string, work: (visit: Visit) => Promise<void>, faceSearch = true): void {
  Deno.test({
    name: `playground of faces: ${name}${noBrowser === null ? "" : ` (not tested: ${noBrowser})`}`,
    ignore: noBrowser !== null,
    async fn() {
      const { fingerprint, embedding: { dimensions } } = card;
      const { app, call } = newApp({
        model: {
          ...{ card, modelJson },
          readWeights: async () => (await readModelFiles(MODEL)).weights,
          readFace: async () => (await readModelFiles(MODEL)).face,
        },
        ...{ embedder, look, faceSearch },
        gallery: createMemoryGallery({ snapshot: { fingerprint, dimensions, collections: [] } }),
      });
      const sent: string[] = [];
      const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
        if (request.method !== "GET") {
          const path = new URL(request.url).pathname;
          sent.push(`${request.method} ${path} ${request.headers.get("content-type")}`);
        }
        return app.fetch(request);
      });
      const video = await videoFile(0);
      const browser = await startBrowser(video);
      try {
        const options = { permissions: ["camera"] };
        await visit(browser, `http://127.0.0.1:${server.addr.port}/`, (page) => work({ page, call, sent }), options);
      } finally {
        await browser.close();
        await server.shutdown();
        await Deno.remove(video);
      }
    },
  });
}

async function choose(page: Page, person: number): Promise<void> {
  const png = await encodePng(await portraitOf(person, 240), 240, 240, 3);
  await page.setInputFiles("#file", { name: "photo.png", mimeType: "image/png", buffer: Buffer.from(png) });
}

async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor();
}

inBrowser(
  "three captures of the camera enrol a person, of whom embeddings alone are sent",
  async ({ page, call, sent }) => {
    await says(page, "#model", "identities it never saw");
    await page.fill("#name", "anna");
    await page.check("#enrol .consent input");
    await page.click("#enrol-camera");
    await says(page, "#guidance", /of 3/);
    assert.ok(
      await page.evaluate(() => {
        const { width, height } = document.querySelector("#overlay") as HTMLCanvasElement;
        const context = (document.querySelector("#overlay") as HTMLCanvasElement).getContext("2d")!;
        return context.getImageData(0, 0, width, height).data.some((value) => value > 0);
      }),
      "there is no box on the video",
    );
    assert.equal(await page.evaluate(() => (document.querySelector("#aligned") as HTMLCanvasElement).width), 150);
    await says(page, "#subjects", "3 images");
    assert.equal(sent.filter((line) => line.startsWith("POST /collections/default/subjects/anna/images")).length, 3);
    for (const line of sent) assert.match(line, /application\/json$/);
    const { metadata, expiresAt } = (await call("GET /collections/default/subjects/anna")).body;
    assert.match(metadata.consent.text, /^I agree that numbers computed from my face are kept here/);
    assert.ok(Date.parse(metadata.consent.at) <= Date.now() && Date.parse(expiresAt) > Date.now());
    await choose(page, 0);
    await says(page, "#decision", "Match: anna");
    await choose(page, 1);
    await says(page, "#decision", "No match among 1.");
    for (const line of sent) assert.match(line, /application\/json$/);
  },
);

inBrowser(
  "a photo enrols a person only with consent, and one that shows several is refused",
  async ({ page, call }) => {
    await choose(page, 1);
    await page.waitForSelector("#input-view:not([hidden])");
    await page.fill("#name", "bea");
    await page.click("#enrol button.primary");
    assert.equal((await call("GET /collections/default/subjects/bea")).status, 404);
    await page.check("#enrol .consent input");
    await page.click("#enrol button.primary");
    await says(page, "#subjects", "bea");
    await says(page, "#decision", "Match: bea");
    await page.setInputFiles("#file", { name: "three.jpg", mimeType: "image/jpeg", buffer: Buffer.from(three) });
    await page.waitForSelector("#input-view:not([hidden])");
    await page.fill("#name", "all");
    await page.check("#enrol .consent input");
    await page.click("#enrol button.primary");
    await says(page, "[role=alert]", "There are 3 faces on the image");
  },
);

inBrowser("the worker that does not search for faces says so", async ({ page }) => {
  await choose(page, 0);
  await says(page, "[role=alert]", "This worker does not search for faces");
}, false);
