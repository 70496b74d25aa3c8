import assert from "node:assert/strict";
import { ulid } from "ulid";
import { readUlid, writeUlid } from "../../../../worker/gallery/ulid_bytes.ts";

Deno.test("a ULID is read as it was written, the first and the last one too", () => {
  const bytes = new Uint8Array(16);
  const ends = ["0".repeat(26), `7${"Z".repeat(25)}`];
  for (const text of [...ends, ...Array.from({ length: 200 }, () => ulid())]) {
    assert.ok(writeUlid(text, bytes));
    assert.equal(readUlid(bytes), text);
  }
  assert.ok(writeUlid(ends[1], bytes));
  assert.deepEqual(bytes, new Uint8Array(16).fill(255));
});

Deno.test("what is no ULID, or is written in another way, is not written", () => {
  const bytes = new Uint8Array(16), others = ["", "lime-0", `8${"0".repeat(25)}`, "a".repeat(26), "é".repeat(26)];
  for (const text of others) assert.ok(!writeUlid(text, bytes));
  assert.deepEqual(bytes, new Uint8Array(16));
});
