import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { BrowserContextOptions, Page } from "playwright-core";
import { toInputPixels } from "../../shared/image/mod.ts";
import type { AppDeps } from "../../worker/app.ts";
import { parseKeys } from "../../worker/keys/key_source.ts";
import { createMemoryGallery } from "../../worker/gallery/memory.ts";
import { embedder, model, newApp, snapshot } from "../integration/worker/client.ts";
import { picture } from "../integration/worker/tiny_model.ts";
import { faintTexts } from "../support/contrast.ts";
import { noBrowser, startBrowser, visit } from "../support/browser.ts";

/** Three pictures that the tiny model tells apart; the first and the second lie at 1.20 from each other. */
const [apple, plum, kiwi] = await Promise.all([3, 1, 6].map(picture));

const browser = noBrowser === null ? await startBrowser() : null;
globalThis.addEventListener("unload", () => browser?.close());

/** Opens the playground of a new worker with an empty gallery. */
function inBrowser(
  name: string,
  work: (page: Page, call: ReturnType<typeof newApp>["call"]) => Promise<void>,
  deps: Partial<AppDeps> = {},
  options: BrowserContextOptions = {},
): void {
  Deno.test({
    name: `playground: ${name}${noBrowser === null ? "" : ` (not tested: ${noBrowser})`}`,
    ignore: noBrowser !== null,
    // The browser outlives the tests.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const { app, call } = newApp(deps);
      const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
      try {
        await visit(browser!, `http://127.0.0.1:${server.addr.port}/`, (page) => work(page, call), options);
      } finally {
        await server.shutdown();
      }
    },
  });
}

async function choose(page: Page, image: Uint8Array, name = "photo.png"): Promise<void> {
  await page.setInputFiles("#file", { name, mimeType: "image/png", buffer: Buffer.from(image) });
}

/** Waits until an element says something. */
async function says(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor();
}

async function enrol(page: Page, image: Uint8Array, name: string): Promise<void> {
  await choose(page, image);
  await page.fill("#name", name);
  await page.click("#enrol button");
  await says(page, "#subjects", name);
}

inBrowser("who is enrolled is matched, with distance, probability and place on the map", async (page) => {
  await enrol(page, apple, "apple");
  await says(page, "#decision", "Match: apple");
  await says(page, "#matches li", "distance 0.000 ≤ 0.500");
  await says(page, "#meaning", "A photo of none of the 1 finds one of them at 0.000 or nearer with a probability of 1");
  await says(page, "#subjects li", "1 image");
  assert.equal(await page.locator("#map .point").count(), 1);
  assert.equal(await page.locator("#map .photo").count(), 1);
  assert.equal(await page.locator("#map .badge.match").count(), 1);
  assert.equal(await page.locator("#scale .badge.match").count(), 1);
});

inBrowser("who is not enrolled is not matched", async (page) => {
  await enrol(page, apple, "apple");
  await choose(page, plum);
  await says(page, "#decision", "No match among 1.");
  await says(page, "#matches li", /apple.*distance 1\.\d\d\d > 0\.500.*no match/);
});

inBrowser("who is deleted is gone from the list, the matches and the map", async (page) => {
  await enrol(page, apple, "apple <b>");
  page.on("dialog", (dialog) => dialog.accept());
  await page.click("#subjects button");
  await says(page, "#gallery-note", "Nobody is enrolled here.");
  await says(page, "#decision", "Nobody is enrolled here.");
  assert.equal(await page.locator("#subjects li, #matches li, #map .point").count(), 0);
});

inBrowser("what the worker refuses is said in its sentence, and the next photo works", async (page) => {
  await choose(page, new TextEncoder().encode("shopping list"));
  await says(page, "[role=alert]", "The bytes are not those of a JPEG, PNG or WebP image; convert it to one of these.");
  await says(page, "#decision", "No answer.");
  await page.click("#dismiss");
  assert.equal(await page.isVisible("[role=alert]"), false);
  await enrol(page, apple, "apple");
  await says(page, "#decision", "Match: apple");
});

inBrowser("the photo is shown as the network sees it, to the pixel", async (page) => {
  await choose(page, apple);
  await page.waitForSelector("#input-view:not([hidden])");
  await says(page, "#input-size", "8 × 8, colour, cover");
  const shown = await page.evaluate(async () => {
    const view = document.querySelector("#network-input") as HTMLImageElement;
    await view.decode();
    const context = new OffscreenCanvas(view.naturalWidth, view.naturalHeight).getContext("2d")!;
    context.drawImage(view, 0, 0);
    return [...context.getImageData(0, 0, view.naturalWidth, view.naturalHeight).data];
  });
  assert.deepEqual(shown.filter((_, i) => i % 4 < 3), [...await toInputPixels(apple, model.card.input)]);
});

inBrowser("the threshold moves by keyboard, tells both error rates, and decides", async (page) => {
  await enrol(page, apple, "apple");
  await choose(page, plum);
  await says(page, "#fmr", /^1\s%, 1 in 100$/);
  await says(page, "#fnmr", /^20\s% \(95 % interval 10\s% to 30\s%\)$/);
  await page.focus("#threshold");
  await page.keyboard.press("End");
  await says(page, "#decision", "Match: apple");
  await says(page, "#distance", "at most 1.400");
  await says(page, "#fmr", /^100\s%$/);
  await says(page, "#fnmr", /^10\s% or less$/);
  await page.click("#rates button:last-child");
  await says(page, "#decision", "No match among 1.");
  await says(page, "#fmr", /^10\s%, 1 in 10$/);
  assert.match(
    await page.getAttribute("#threshold", "aria-valuetext") ?? "",
    /^distance at most 0\.800, false matches 10/,
  );
});

inBrowser("a photo can be pasted, dropped, and taken with the camera", async (page, call) => {
  await call("POST /collections/default/subjects/apple/images", { image: apple });
  await call("POST /collections/default/subjects/plum/images", { image: plum });
  const give = (event: "paste" | "drop", image: Uint8Array) =>
    page.evaluate(([event, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], "photo.png", { type: "image/png" }));
      document.dispatchEvent(
        event === "paste"
          ? new ClipboardEvent(event, { clipboardData: data })
          : new DragEvent(event, { dataTransfer: data }),
      );
    }, [event, [...image]] as const);
  await give("paste", apple);
  await says(page, "#decision", "Match: apple");
  await give("drop", plum);
  await says(page, "#decision", "Match: plum");
  await page.click("#camera");
  await page.waitForFunction(() => (document.querySelector("#video") as HTMLVideoElement).videoWidth > 0);
  await page.click("#shoot");
  await says(page, "#decision", "No match among 2.");
  assert.equal(await page.isVisible("#viewfinder"), false);
  assert.equal(await page.evaluate(() => (document.querySelector("#video") as HTMLVideoElement).srcObject), null);
});

inBrowser("pictures of the nearest are shown where the operator keeps them", async (page) => {
  await enrol(page, apple, "apple");
  await page.waitForSelector('#matches img[alt="Enrolled as apple"]');
}, { thumbnails: true });

const images = [{
  image: "i",
  createdAt: "2026-01-02T03:04:05.000Z",
  embedding: await embedder.embed(await toInputPixels(apple, model.card.input)),
}];
const subjects = [{ subject: "apple", metadata: {}, expiresAt: null, revision: "r", images }];
const served = createMemoryGallery({ snapshot: { ...snapshot, collections: [{ collection: "default", subjects }] } });

inBrowser(
  "a gallery that is a snapshot is matched and listed, and offers neither to enrol nor to delete",
  async (page) => {
    await choose(page, apple);
    await says(page, "#decision", "Match: apple");
    await says(page, "#subjects li", "1 image");
    await says(page, "section", "The gallery is a snapshot: nobody can be enrolled or deleted here.");
    assert.equal(await page.locator("#enrol, #subjects button").count(), 0);
  },
  { gallery: { ...served, isReadOnly: true } },
);

inBrowser("a worker with keys asks for one, and each shows what it may", async (page, call) => {
  const headers = { authorization: "Bearer a" };
  await call("POST /collections/default/subjects/apple/images", { image: apple, headers });
  await says(page, "[role=alert]", "This needs a key");
  await choose(page, apple);
  await says(page, "#decision", "No answer.");
  const use = async (key: string) => {
    await page.fill("#key", key);
    await page.press("#key", "Enter");
  };
  await use("wrong");
  await says(page, "[role=alert]", "This key is not known; check it for typing errors.");
  await use("m");
  await says(page, "#gallery-note", 'This key has no scope "enroll"; use one that has it.');
  await says(page, "#map-note", 'This key has no scope "admin"; use one that has it.');
  await says(page, "#decision", "Match: apple");
  await use("a");
  await says(page, "#subjects li", "apple");
  await page.waitForSelector("#map .point");
}, { keys: parseKeys("match:m,admin:a") });

inBrowser("everything can be reached and seen by keyboard, in the order of the page", async (page, call) => {
  await call("POST /collections/default/subjects/apple/images", { image: apple });
  await page.reload();
  await says(page, "#subjects li", "apple");
  const reached: string[] = [];
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("Tab");
    const { name, outline } = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      const visible = focused.closest("#drop") ?? focused;
      return {
        name: focused.id || focused.getAttribute("aria-label") || focused.textContent.trim(),
        outline: getComputedStyle(visible).outlineStyle,
      };
    });
    if (name === reached[0] || focusedNothing(name)) break;
    assert.equal(outline, "solid", name);
    reached.push(name);
  }
  assert.deepEqual(reached, [
    "API reference",
    "file",
    "camera",
    "name",
    "Enrol",
    "threshold",
    "1 in 100",
    "1 in 10",
    "collection",
    "Delete apple",
  ]);
});

/** Past its last element the browser focuses the page as a whole, whose name would be all its text. */
function focusedNothing(name: string): boolean {
  return name === "" || name.length > 200;
}

for (const colorScheme of ["light", "dark"] as const) {
  inBrowser(
    `at 360 pixels in ${colorScheme} nothing sticks out, and every text has a contrast of 4.5 or more`,
    async (page) => {
      await enrol(page, apple, "a name as long as names of products may be ".repeat(2).trim());
      await choose(page, kiwi);
      await says(page, "#decision", "No match among 1.");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
      const faint = await page.evaluate(faintTexts);
      assert.deepEqual(faint, []);
    },
    {},
    { colorScheme, viewport: { width: 360, height: 800 } },
  );
}
