import assert from "node:assert/strict";
import { bombs } from "../../../scripts/hostile/bombs.ts";
import { goodImages, mutated } from "../../../scripts/hostile/mutations.ts";
import { memoryRise, tried } from "../../../scripts/hostile/tried.ts";
import { clientOf, newApp } from "./client.ts";

const MUTATIONS = 10_000;
/** Megabytes. */
const MOST_MEMORY = 200;

const good = await goodImages(), names = Object.keys(good);
const { app } = newApp({ maxBody: 16 << 20 });
const call = clientOf("http://localhost", (request) => app.fetch(request));

async function embeddings(): Promise<number[][]> {
  return await Promise.all(
    names.map(async (name) => (await call("POST /embed", { image: good[name] })).body.embedding),
  );
}

const expected = await embeddings();
for (const embedding of expected) assert.equal(embedding.length, 16);

Deno.test(`${MUTATIONS} mutations of good images give an input or are refused without a trap, and the good ones give what they gave before`, async () => {
  const count = { taken: 0, refused: 0 };
  const rise = await memoryRise(async () => {
    for (let i = 0; i < MUTATIONS; i++) {
      count[(await tried(mutated(good[names[i % names.length]], i))).outcome]++;
      if (i % 500 === 0) assert.deepEqual(await embeddings(), expected);
    }
  });
  assert.deepEqual(await embeddings(), expected);
  assert.ok(count.refused > MUTATIONS / 2 && count.taken > MUTATIONS / 20, JSON.stringify(count));
  assert.ok(rise < MOST_MEMORY, `memory rose by ${rise} MB`);
});

Deno.test("a mutation is the same bytes whenever it is made, and hardly ever the file itself", () => {
  const many = Array.from({ length: 100 }, (_, i) => mutated(good["color.png"], i));
  assert.deepEqual(many, Array.from({ length: 100 }, (_, i) => mutated(good["color.png"], i)));
  assert.ok(new Set(many.map((bytes) => bytes.toHex())).size > 95);
});

/** What a reader makes of these is no more than the image that they say they are. */
const HARMLESS = /fill bytes|profile|text|empty chunks|100,000 frames|60 scans|progressive JPEG of 4,000 x 4,000/;

const all = Object.entries(await bombs());
for (const [name, image] of all) {
  Deno.test(`a ${name} is ${HARMLESS.test(name) ? "taken" : "refused"}, in memory, and harms nobody`, async () => {
    let answer: Awaited<ReturnType<typeof call>> | undefined;
    const rise = await memoryRise(async () => answer = await call("POST /embed", { image }));
    assert.equal(answer?.status, HARMLESS.test(name) ? 200 : 422, JSON.stringify(answer?.body));
    assert.ok(rise < MOST_MEMORY, `memory rose by ${rise} MB`);
    assert.deepEqual(await embeddings(), expected);
  });
}

Deno.test("there are bombs of every format", () => {
  for (const format of ["JPEG", "PNG", "WebP"]) {
    assert.ok(all.filter(([name]) => name.includes(format)).length >= 5, format);
  }
});
