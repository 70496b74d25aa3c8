import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { framed, squareAround } from "../../shared/face/mod.ts";
import { decode, encodePng } from "../../shared/image/mod.ts";
import { packageFile } from "../../shared/package_file.ts";
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

Deno.test("the commands of the README enrol three people and recognise one of them on a fourth photo", async () => {
  const readme = await Deno.readTextFile("README.md");
  const [, start, requests] = /## Match faces.*?```sh\n(.*?)```.*?```sh\n(.*?)```/s.exec(readme)!;
  const settings = Object.fromEntries(
    [...start.matchAll(/(TRIPTYCH_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  assert.match(settings.TRIPTYCH_GALLERY, /^sqlite:/);
  const folder = await Deno.makeTempDir({ prefix: "triptych-readme-" });
  const worker = await startWorker({ ...settings, TRIPTYCH_GALLERY: `sqlite:${folder}/faces.sqlite` });
  try {
    const photo = await Deno.readFile(packageFile("@vladmandic/face-api/demo/sample3.jpg"));
    const image = await decode(photo);
    const { body } = await clientOf(worker.base)("POST /embed", { image: photo });
    const portrait = async (person: number, border: number, size: number, light = 1) => {
      const rgb = await framed(image, squareAround(body.faces[person].face.box, border), size);
      return await encodePng(rgb.map((value) => light * value), size, size, 3);
    };
    for (const [person, name] of ["anna", "ben", "carla"].entries()) {
      await Deno.writeFile(`${folder}/${name}.jpg`, await portrait(person, 0.25, 320));
    }
    await Deno.writeFile(`${folder}/photo.jpg`, await portrait(1, 0.4, 200, 0.6));
    const script = requests.replaceAll("http://localhost:8000", worker.base).replaceAll("curl ", "curl --silent ");
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script], cwd: folder }).output();
    const answer = JSON.parse(`[${new TextDecoder().decode(stdout).replaceAll("}{", "},{")}]`).at(-1);
    assert.equal(answer.decision, "match", JSON.stringify(answer).slice(0, 400));
    assert.equal(answer.matches[0].subject, "ben");
    assert.equal(answer.subjects, 3);
  } finally {
    await worker.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
