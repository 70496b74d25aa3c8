import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { clientOf } from "../integration/worker/client.ts";
import { startWorker } from "../integration/worker/process.ts";
import { noBrowser, startBrowser } from "../support/browser.ts";

/** The first page of the README. */
const PAGE = /```html\n(.*?)```/s.exec(await Deno.readTextFile("README.md"))![1];
const PACKSHOTS = "samples/products/packshots";
const PRODUCTS = ["Banana", "Lemon", "Pineapple"];

Deno.test({
  name: `the page of the README matches a photo, as it is written${
    noBrowser === null ? "" : ` (not tested: ${noBrowser})`
  }`,
  ignore: noBrowser !== null,
  async fn() {
    assert.ok(PAGE.split("\n").length <= 20);
    let html = "";
    const shop = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      return new Response(html, { headers: { "content-type": "text/html" } });
    });
    const origin = `http://127.0.0.1:${shop.addr.port}`;
    const worker = await startWorker({ TRIPTYCH_CORS_ORIGINS: origin });
    html = PAGE.replace("http://localhost:8000", worker.base);
    assert.notEqual(html, PAGE);
    const browser = await startBrowser();
    try {
      const call = clientOf(worker.base);
      for (const product of PRODUCTS) {
        const image = await Deno.readFile(`${PACKSHOTS}/${product}/packshot.jpg`);
        await call(`POST /collections/default/subjects/${product}/images`, { image });
      }
      const page = await browser.newPage();
      await page.goto(origin);
      await page.setInputFiles("#photo", `${PACKSHOTS}/${PRODUCTS[1]}/packshot.jpg`);
      await page.locator("#answer").filter({ hasText: /^match: Lemon \(0\.00\), \w+ \(\d\.\d\d\), \w+/ }).waitFor();
      const text = { name: "photo.jpg", mimeType: "image/jpeg", buffer: Buffer.from("shopping list") };
      await page.setInputFiles("#photo", text);
      await page.locator("#answer").filter({ hasText: /JPEG, PNG or WebP/ }).waitFor();
    } finally {
      await browser.close();
      await worker.stop();
      await shop.shutdown();
    }
  },
});
