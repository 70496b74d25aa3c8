/** What a program of Node, Bun or Deno does with the client: `match.mjs CLIENT URL KEY IMAGE` prints what it finds. */
import { readFile } from "node:fs/promises";

const [, , module, url, key, path] = process.argv;
const { createClient, ProblemError } = await import(module);
const bytes = await readFile(path);
const client = createClient(url, { key });
const images = [bytes, new Uint8Array(bytes), new Blob([bytes]), new File([bytes], "photo.png")];
const found = [];
for (const image of images) found.push((await client.match(image, { collection: "c", k: 1 })).matches[0].subject);
const refused = await client.match(bytes, { collection: "none" }).catch((error) => error);
const embedded = await client.api.embed.$post({ form: { image: images[3] } });
console.log(JSON.stringify({
  found,
  refused: [refused instanceof ProblemError, refused.problem.status],
  numbers: (await embedded.json()).embedding.length,
}));
