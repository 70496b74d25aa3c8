import assert from "node:assert/strict";
import { batches } from "../../../../scripts/enroll/batches.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("batches() writes an item when its batch is full, one batch after the other, and the rest at the end", async () => {
  const written: number[][] = [[]];
  let underWay = 0;
  const { add, flush } = batches<number>(3, async (item) => {
    assert.ok(++underWay <= 3);
    await turn();
    underWay--;
    if (written.at(-1)!.push(item) === 3) written.push([]);
  });
  await Promise.all([1, 2].map(add));
  await turn();
  assert.deepEqual(written, [[]]);
  await Promise.all([3, 4, 5, 6, 7].map(add));
  assert.deepEqual(written, [[1, 2, 3], [4, 5, 6], []]);
  await flush();
  assert.deepEqual(written.at(-1), [7]);
});

Deno.test("batches() tells whoever waits that a batch was not written, and writes none after it", async () => {
  const tried: number[] = [];
  const { add, flush } = batches<number>(2, (item) => {
    tried.push(item);
    return Promise.reject(new Error("the disk is full"));
  });
  await add(1);
  await assert.rejects(add(2), /the disk is full/);
  await add(3);
  await assert.rejects(flush(), /the disk is full/);
  assert.deepEqual(tried, [1, 2]);
});
