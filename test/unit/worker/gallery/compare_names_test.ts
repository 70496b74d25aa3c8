import assert from "node:assert/strict";
import { compareNames } from "../../../../worker/gallery/compare_names.ts";

Deno.test("compareNames() orders as the UTF-8 bytes do, characters past U+FFFF included", () => {
  const names = [
    "",
    "a",
    "ab",
    "b",
    "Z",
    "é",
    "日本",
    "\ufffd",
    "\uff5e",
    "🍌",
    "🍌a",
    "🍎",
    "a🍌",
    "a\uffff",
    "\ue000",
  ];
  const bytes = (name: string) => new TextEncoder().encode(name).toHex();
  const byBytes = names.toSorted((a, b) => bytes(a) < bytes(b) ? -1 : 1);
  assert.deepEqual(names.toSorted(compareNames), byBytes);
  assert.notDeepEqual(names.toSorted(), byBytes);
  for (const name of names) assert.equal(compareNames(name, name), 0);
});
