import assert from "node:assert/strict";
import { ModelError } from "../../../../shared/errors.ts";
import { compareEmbeddings, disagreement, recallLoss } from "../../../../trainer/export/verify.ts";

Deno.test("compareEmbeddings() gives mean and minimum of the rows' cosines", () => {
  const agreement = compareEmbeddings(Float32Array.of(1, 0, 0.6, 0.8), Float32Array.of(1, 0, 1, 0), 2);
  assert.ok(Math.abs(agreement.meanCosine - 0.8) < 1e-6);
  assert.ok(Math.abs(agreement.minCosine - 0.6) < 1e-6);
});

Deno.test("a network whose embeddings are not of unit length is refused, and the image named", () => {
  assert.throws(
    () => compareEmbeddings(Float32Array.of(1, 0, 1, 0), Float32Array.of(1, 0, 2, 0), 2),
    (error: Error) => error instanceof ModelError && /image 2 has the length 2\.000.*L2Normalize/.test(error.message),
  );
});

Deno.test("a network that gives NaN is refused", () => {
  assert.throws(() => compareEmbeddings(Float32Array.of(1, 0), Float32Array.of(NaN, 0), 2), ModelError);
});

Deno.test("an exported graph that gives NaN is at fault", () => {
  const agreement = compareEmbeddings(Float32Array.of(NaN, 0), Float32Array.of(1, 0), 2);
  assert.ok(disagreement("none", agreement) instanceof ModelError);
});

Deno.test("each scheme has its tolerance of the mean cosine, and the error says what to do", () => {
  const at = (meanCosine: number) => ({ meanCosine, minCosine: meanCosine });
  assert.equal(disagreement("uint8", at(0.9991)), undefined);
  assert.match(
    disagreement("uint8", at(0.9989))?.message ?? "",
    /0\.998900, at least 0\.999 .* --quantize float16/,
  );
  assert.match(disagreement("float16", at(0.9991))?.message ?? "", /--quantize none/);
  assert.match(disagreement("none", at(0.9999))?.message ?? "", /defect/);
});

Deno.test("recall@1 may fall by a point, or by one image where there are fewer than 100; it may rise", () => {
  assert.equal(recallLoss("uint8", 0.05, 1000), undefined);
  assert.equal(recallLoss("uint8", -0.01, 1000), undefined);
  assert.match(recallLoss("uint8", -0.012, 1000)?.message ?? "", /loses 1\.2 points of recall@1/);
  assert.equal(recallLoss("uint8", -1 / 40, 40), undefined);
  assert.ok(recallLoss("uint8", -2 / 40, 40) instanceof ModelError);
});
