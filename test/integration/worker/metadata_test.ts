import assert from "node:assert/strict";
import { createMemoryGallery } from "../../../worker/gallery/memory.ts";
import { decodeSnapshot } from "../../../shared/decode_snapshot.ts";
import { encodeSnapshot } from "../../../shared/encode_snapshot.ts";
import { concat } from "../../support/bytes.ts";
import { newApp, snapshot } from "./client.ts";
import { picture } from "./tiny_model.ts";

const image = await picture(0);
const json = { "content-type": "application/json" };

/** Names that mean something to JavaScript, as a client may write them. */
const HOSTILE = [
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"toString":"x","hasOwnProperty":1,"valueOf":null}',
  '{"a":{"__proto__":[1,2]},"":{"__proto__":null}}',
];

function put(call: ReturnType<typeof newApp>["call"], subject: string, metadata: string) {
  return call(`PUT /collections/c/subjects/${subject}`, { body: `{"metadata":${metadata}}`, headers: json });
}

Deno.test("metadata comes back as it was sent, names that JavaScript gives a meaning included", async () => {
  const gallery = createMemoryGallery({ snapshot });
  const { call } = newApp({ gallery });
  await call("POST /collections/c/subjects/s/images", { image });
  for (const metadata of HOSTILE) {
    assert.equal((await put(call, "s", metadata)).status, 200);
    const restored = await decodeSnapshot(
      concat(encodeSnapshot({ ...snapshot, collections: await gallery.snapshot() })),
      "here",
    );
    const texts = [
      (await call("GET /collections/c/subjects/s")).body.metadata,
      (await call("GET /collections/c/subjects")).body.subjects[0].metadata,
      (await call("POST /match?collection=c", { image })).body.matches[0].metadata,
      restored.collections.find(({ collection }) => collection === "c")?.subjects[0].metadata,
    ];
    for (const found of texts) assert.equal(JSON.stringify(found), metadata);
  }
  assert.equal(({} as { admin?: unknown }).admin, undefined);
});

Deno.test("a filter finds what is in the metadata itself, and nothing that is inherited", async () => {
  const { call } = newApp();
  for (const [i, metadata] of [...HOSTILE, "{}"].entries()) {
    await call(`POST /collections/c/subjects/s${i}/images`, { image });
    await put(call, `s${i}`, metadata);
  }
  const found = async (filter: string) => {
    const { body } = await call(`POST /match?collection=c&filter=${encodeURIComponent(filter)}`, { image });
    return body.matches.map(({ subject }: { subject: string }) => subject);
  };
  for (const [i, filter] of HOSTILE.entries()) assert.deepEqual(await found(filter), [`s${i}`], filter);
  assert.deepEqual(await found('{"admin":true}'), []);
  assert.deepEqual(await found('{"__proto__":{}}'), ["s0"]);
  assert.deepEqual(await found('{"toString":{}}'), []);
  assert.equal((await found("{}")).length, HOSTILE.length + 1);
});

Deno.test("metadata and filters of more than 8 KiB, or nested without end, are 400", async () => {
  const { call } = newApp();
  await call("POST /collections/c/subjects/s/images", { image });
  const nested = (depth: number) => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
  const text = (bytes: number) => JSON.stringify({ x: "x".repeat(bytes - 8) });
  for (
    const [value, isTaken] of [[text(8192), true], [text(8193), false], [nested(1000), true], [
      nested(200_000),
      false,
    ]] as const
  ) {
    assert.equal((await put(call, "s", value)).status, isTaken ? 200 : 400);
    const filters = [
      await call(`POST /match?collection=c&filter=${encodeURIComponent(value)}`, { image }),
      await call("POST /match?collection=c", { form: { image, filter: value } }),
      await call("POST /match?collection=c", {
        body: `{"image":"${image.toBase64()}","filter":${value}}`,
        headers: json,
      }),
    ];
    assert.deepEqual(filters.map(({ status }) => status), Array(3).fill(isTaken ? 200 : 400));
  }
  assert.equal((await call("GET /collections/c/subjects/s")).status, 200);
});
