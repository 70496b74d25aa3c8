import assert from "node:assert/strict";
import { leaveOneOut } from "../../../../trainer/metrics/mod.ts";
import { reportContent, writeReport } from "../../../../trainer/report/report.ts";
import { reportData } from "./report_data.ts";

const path = `${await Deno.makeTempDir()}/report.html`;
await writeReport(path, reportData());
const html = await Deno.readTextFile(path);

Deno.test("writeReport() gives the same bytes for the same data", async () => {
  await writeReport(path, reportData());
  assert.equal(await Deno.readTextFile(path), html);
});

Deno.test("the report loads nothing: no address is in its markup, and its policy forbids all but what is in it", () => {
  const markup = html.replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gs, "");
  assert.doesNotMatch(markup, /https?:|src=|@import/);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1];
  assert.match(policy, /^default-src 'none'; img-src data:; style-src '/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
});

Deno.test("the report's policy names the hash of every script and style that runs", async () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1];
  const inlined = [...html.matchAll(/<(script|style)>(.*?)<\/\1>/gs)].map(([, , text]) => text);
  assert.equal(inlined.length, 4);
  for (const text of inlined) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
    assert.ok(policy.includes(`'sha256-${hash.toBase64()}'`));
  }
});

Deno.test("names that are HTML cannot leave the data or the title", () => {
  const data = /<script type="application\/json" id="content">(.*?)<\/script>/s.exec(html)![1];
  assert.doesNotMatch(data, /</);
  assert.equal(JSON.parse(data).identities[1].name, "</script><img src=x onerror=alert(1)>");
  assert.equal(html.match(/<\/title>/g)!.length, 1);
  assert.equal(html.match(/<img/g), null);
});

Deno.test("the page's program is one script that parses", () => {
  const program = [...html.matchAll(/<script>(.*?)<\/script>/gs)].at(-1)![1];
  assert.doesNotThrow(() => new Function(program));
  assert.doesNotMatch(program, /^(import|export) /m);
});

Deno.test("the report is lean: the card's goldens are left out, and figures that are not finite are gaps", async () => {
  const content = await reportContent(reportData());
  assert.ok(!("goldens" in content.card));
  assert.deepEqual(content.curves.gradientNorm, [1, null, 1]);
});

Deno.test("the photos that the report calls found are those of recall@1", async () => {
  const data = reportData();
  const { images } = await reportContent(data);
  const labels = images.map(({ identity }) => identity);
  const found = images.filter((image) => image.found).length / images.length;
  assert.equal(found, leaveOneOut({ embeddings: data.embeddings, labels }, [1]).recallAt[1]);
  assert.ok(found > 0 && found < 1);
});

Deno.test("every picture of a confusion is in the sprite", async () => {
  const { confusions, pictured, pictures } = await reportContent(reportData());
  assert.ok(confusions.length > 0);
  assert.equal(pictures!.count, pictured.length);
  for (const { query, right, wrong } of confusions) {
    for (const row of [query, right.row, wrong.row]) assert.ok(pictured.includes(row));
  }
});
