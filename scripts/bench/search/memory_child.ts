/**
 * A process that prints what it holds resident with so many images in a gallery that was searched once, bytes: `COUNT`. It
 * wants `--v8-flags=--expose-gc`.
 *
 * @module
 */
import { enrolled } from "./gallery.ts";
import { makeVectors, vectorOf } from "./vectors.ts";

const count = Number(Deno.args[0]);
// The same over and over, so that no copy of them is beside the gallery's.
const some = makeVectors(1000, 2);
const gallery = await enrolled(count, (i) => vectorOf(some, i % some.count));
await gallery.search("default", vectorOf(some, 0), { k: 10 });
const { gc } = globalThis as unknown as { gc(options: Record<string, string>): void };
for (let i = 0; i < 3; i++) {
  gc({ type: "major", execution: "sync", flavor: "last-resort" });
  await new Promise((resolve) => setTimeout(resolve, 300));
}
console.log(Deno.memoryUsage().rss);
await gallery.close();
