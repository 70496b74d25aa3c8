import assert from "node:assert/strict";
import { contains } from "../../../../worker/gallery/filter.ts";

Deno.test("contains() asks of an object every member of the filter, however deep", () => {
  const metadata = { category: "juice", brand: { name: "Bravo", since: 1955 }, extra: null };
  assert.ok(contains(metadata, {}));
  assert.ok(contains(metadata, { category: "juice" }));
  assert.ok(contains(metadata, { brand: { name: "Bravo" }, extra: null }));
  assert.ok(!contains(metadata, { category: "milk" }));
  assert.ok(!contains(metadata, { brand: { name: "Bravo", until: 2000 } }));
  assert.ok(!contains(metadata, { missing: null }));
});

Deno.test("contains() asks of an array every element of the filter's, in any order", () => {
  assert.ok(contains({ tags: ["a", "b", { c: 1, d: 2 }] }, { tags: [{ c: 1 }, "a"] }));
  assert.ok(!contains({ tags: ["a"] }, { tags: ["a", "b"] }));
  assert.ok(!contains({ tags: "a" }, { tags: ["a"] }));
  assert.ok(!contains({ tags: ["a"] }, { tags: "a" }));
});

Deno.test("contains() takes no value for another of a different type, nor what is inherited", () => {
  assert.ok(!contains({ n: 1 }, { n: "1" }));
  assert.ok(!contains({ n: 0 }, { n: false }));
  assert.ok(!contains({ n: null }, { n: {} }));
  assert.ok(!contains({ n: [] }, { n: {} }));
  assert.ok(!contains({}, { toString: {} }));
});
