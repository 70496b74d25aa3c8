import assert from "node:assert/strict";
import { RESNET18, stockCost, tiledCost } from "./filter_gradient_cost.ts";

for (const { name, geometry } of RESNET18) {
  Deno.test(`the filter gradient of ${name} moves a thirtieth of the bytes that tfjs's does, for little more work`, () => {
    const stock = stockCost(geometry), tiled = tiledCost(geometry);
    assert.ok(tiled.bytes * 30 < stock.bytes, `${tiled.bytes} of ${stock.bytes} bytes`);
    assert.ok(tiled.products < 1.35 * stock.products, `${tiled.products} for ${stock.products} products`);
  });

  Deno.test(`no thread of the filter gradient of ${name} sums more than 640 terms, and there are 25,000 at least`, () => {
    const { chain, threads } = tiledCost(geometry);
    assert.ok(chain <= 640, `${chain} terms`);
    assert.ok(threads >= 25_000, `${threads} threads`);
  });
}
