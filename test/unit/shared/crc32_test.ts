import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { crc32 } from "../../../shared/crc32.ts";

Deno.test("crc32() gives the check value of the catalogue of CRCs, and what zlib computes of any bytes", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  for (const length of [0, 1, 255, 65_536]) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assert.equal(crc32(bytes), zlib.crc32(bytes));
  }
});
