/** Copies a few of the bundled photos: a data set that trains in seconds. */
export async function smallDataset(seen = 8, unseen = 4, photosEach = 8): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "triptych-photos-" });
  for (const [part, products] of [["train", seen], ["test", unseen]] as const) {
    for (const product of (await names(`samples/products/${part}`)).slice(0, products)) {
      await Deno.mkdir(`${root}/${part}/${product}`, { recursive: true });
      for (const photo of (await names(`samples/products/${part}/${product}`)).slice(0, photosEach)) {
        await Deno.copyFile(`samples/products/${part}/${product}/${photo}`, `${root}/${part}/${product}/${photo}`);
      }
    }
  }
  return root;
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).sort();
}
