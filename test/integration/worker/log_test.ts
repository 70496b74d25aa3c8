import assert from "node:assert/strict";
import { parseKeys } from "../../../worker/keys/key_source.ts";
import { model, newApp } from "./client.ts";
import { picture } from "./tiny_model.ts";

Deno.test("no line of the log holds an image, an embedding, metadata, a filter or a key, whatever the answer was", async () => {
  const key = "log-test-key-0123456789";
  const { call, log } = newApp({ keys: parseKeys(`match+enroll+admin:${key}`) });
  const headers = { authorization: `Bearer ${key}` };
  const bytes = await picture(0), image = bytes.toBase64();
  const embedded = await call("POST /embed", { headers, json: { image } });
  const { embedding, fingerprint }: { embedding: number[]; fingerprint: string } = embedded.body;
  const metadata = { secret: "metadata-of-a-person" };
  const filter = encodeURIComponent(JSON.stringify(metadata));
  const answers = [
    embedded,
    await call("PUT /collections/c/subjects/a", { headers, json: { metadata } }),
    await call("POST /collections/c/subjects/a/images", { headers, json: { embedding, fingerprint } }),
    await call("POST /collections/c/subjects/a/images", { headers, image: bytes }),
    await call(`POST /match?collection=c&filter=${filter}`, { headers, form: { image: bytes } }),
    await call("POST /match?collection=c", { headers, json: { embedding: embedding.slice(1), fingerprint } }),
    await call("POST /match", { headers, json: { image: `${image}!` } }),
    await call("POST /match", { headers: { authorization: `Bearer ${key}x` }, json: { image } }),
  ];
  assert.deepEqual(answers.map(({ status }) => status), [200, 201, 201, 201, 200, 422, 400, 401]);
  assert.equal(log.filter(({ message }) => message === "request").length, answers.length);
  const secrets = [
    image.slice(0, 24),
    String(embedding[0]),
    metadata.secret,
    key,
    model.card.goldens[0].input.slice(0, 24),
  ];
  for (const secret of secrets) assert.ok(!JSON.stringify(log).includes(secret), secret);
});
