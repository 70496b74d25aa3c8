import assert from "node:assert/strict";
import { NameTable } from "../../../../worker/gallery/name_table.ts";
import { randomFrom } from "./records.ts";

Deno.test("a table of names finds what a Map finds, through additions and deletions", () => {
  const random = randomFrom(2);
  const table = new NameTable(), map = new Map<string, number>(), free = Array.from({ length: 3000 }, (_, i) => i);
  for (let step = 0; step < 20_000; step++) {
    const name = `s${Math.floor(random() * 2000)}`, number = map.get(name);
    assert.equal(table.number(name), number);
    if (number === undefined && random() < 0.7) {
      const taken = free.shift()!;
      table.add(name, taken);
      map.set(name, taken);
    } else if (number !== undefined) {
      table.delete(name);
      map.delete(name);
      free.push(number);
    }
  }
  assert.equal(table.size, map.size);
  assert.deepEqual(new Map(table.entries()), map);
  for (const [name, number] of map) assert.equal(table.name(number), name);
});
