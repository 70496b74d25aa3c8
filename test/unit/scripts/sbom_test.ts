import assert from "node:assert/strict";
import { sbom } from "../../../scripts/sbom.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("SBOM.json lists what deno.lock pins: run deno task sbom after a change of it", async () => {
  assert.equal(await Deno.readTextFile(new URL("SBOM.json", ROOT)), await sbom());
});

Deno.test("SBOM.json says of each package which bytes it is, and whether the worker is made of it", async () => {
  const { components } = JSON.parse(await sbom());
  const scopeOf = (name: string) => components.find((component: { name: string }) => component.name === name)?.scope;
  assert.deepEqual(["hono", "zod", "playwright-core", "workerd"].map(scopeOf), [
    "required",
    "required",
    "excluded",
    "excluded",
  ]);
  for (const { hashes: [{ alg, content }] } of components) {
    assert.equal(alg, "SHA-512");
    assert.match(content, /^[0-9a-f]{128}$/);
  }
});
