/**
 * Makes `samples/products/` from the grocery photos of Klasson et al.: phone photos and packshots, scaled down.
 *
 *     deno run --allow-read --allow-write scripts/make_samples.ts ../shared/data/grocery
 *
 * `samples/products/unseen.txt` says which products are never trained on: their photos go to `test/`, those of the
 * others to `train/`; every packshot goes to `packshots/`, to be enrolled.
 *
 * @module
 */
import { decode, encodeJpeg, shrink } from "../shared/image/mod.ts";

const SHORT_SIDE = 160;
const QUALITY = 72;
const PHOTOS_OF_SEEN = 37;
const PHOTOS_OF_UNSEEN = 20;
const OUT = "samples/products";

const source = Deno.args[0];
if (!source) {
  console.error("Say where the grocery photos are: scripts/make_samples.ts ../shared/data/grocery");
  Deno.exit(2);
}
const unseen = new Set((await Deno.readTextFile(`${OUT}/unseen.txt`)).trim().split("\n"));

for (const product of (await names(`${source}/train`)).filter((name) => !name.startsWith("."))) {
  const held = unseen.has(product);
  const photos = (await Promise.all(["train", "val", "test"].map((part) => files(`${source}/${part}/${product}`))))
    .flat();
  const kept = spread(photos, held ? PHOTOS_OF_UNSEEN : PHOTOS_OF_SEEN);
  for (const [i, photo] of kept.entries()) {
    await write(photo, `${OUT}/${held ? "test" : "train"}/${product}/${String(i + 1).padStart(2, "0")}.jpg`);
  }
  await write(`${source}/iconic/${product}.jpg`, `${OUT}/packshots/${product}/packshot.jpg`);
  console.log(`${product}: ${kept.length} of ${photos.length} photos, ${held ? "never trained on" : "to train on"}`);
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}

async function files(folder: string): Promise<string[]> {
  try {
    return (await names(folder)).map((name) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** `count` items, evenly spread over the list: photos of one visit to a shop lie next to each other. */
function spread<T>(items: T[], count: number): T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);
}

async function write(from: string, to: string): Promise<void> {
  const image = await decode(await Deno.readFile(from));
  await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(to, await encodeJpeg(await shrink(image, SHORT_SIDE), QUALITY));
}
