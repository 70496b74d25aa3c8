/**
 * A process that enrols subjects in a database until it is killed, and prints the name of each once it is acknowledged:
 * `PATH PREFIX`.
 *
 * @module
 */
import { openSqliteGallery } from "../../../../worker/gallery/sqlite.ts";
import { EMPTY, randomFrom, unitVector } from "./records.ts";

const [path, prefix] = Deno.args;
const gallery = await openSqliteGallery(path, EMPTY);
const random = randomFrom(3);
for (let i = 0;; i++) {
  await gallery.addImage("c", `${prefix}${i}`, unitVector(random));
  await Deno.stdout.write(new TextEncoder().encode(`${prefix}${i}\n`));
}
