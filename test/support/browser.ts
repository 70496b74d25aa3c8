import assert from "node:assert/strict";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** Why no test can run in a browser; null if they can. */
export const noBrowser: string | null = await Deno.stat(CHROMIUM).then(
  () => null,
  () => `there is no ${CHROMIUM}; apt-get install chromium`,
);

/**
 * Starts Chromium, with a camera that shows a test picture.
 *
 * @param video a file of YUV4MPEG2 that the camera shows instead
 */
export async function startBrowser(video?: string): Promise<Browser> {
  const args = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
  if (video !== undefined) args.push(`--use-file-for-fake-video-capture=${video}`);
  // Chromium's sandbox does not work for root.
  if (Deno.uid() === 0) args.push("--no-sandbox");
  return await chromium.launch({ executablePath: CHROMIUM, args });
}

/**
 * Opens a page, and fails afterwards if it asked anybody but its own server for anything, broke its content security policy,
 * or threw.
 */
export async function visit(
  browser: Browser,
  url: string,
  work: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  const faults: string[] = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/content security policy|trusted/i.test(message.text())) faults.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(url)) faults.push(request.url());
    });
    await page.goto(url);
    await work(page);
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}
