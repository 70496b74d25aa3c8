import assert from "node:assert/strict";
import { z } from "zod";
import { parse } from "../../../../worker/contract/parse.ts";
import { Problem } from "../../../../worker/middleware/problem.ts";

const Content = z.union([
  z.strictObject({ image: z.string("it must be a text") }),
  z.strictObject({ embedding: z.array(z.number("it must be numbers")), fingerprint: z.string("it must be there") }),
]);

function detailOf(schema: z.ZodType, value: unknown): string {
  try {
    parse(schema, value, "The body");
  } catch (error) {
    if (error instanceof Problem && error.status === 400) return error.message;
  }
  return assert.fail("it was taken");
}

Deno.test("parse() gives what the schema makes of a value", () => {
  assert.equal(parse(z.string().transform(Number), "5", "The query"), 5);
});

Deno.test("parse() names the field and what is wrong with it, or the whole where it is of no one field", () => {
  const schema = z.strictObject({ at: z.object({ x: z.number("it must be a number") }) });
  assert.equal(detailOf(schema, { at: { x: "1" } }), '"at.x" is not right: it must be a number.');
  assert.equal(detailOf(schema, { at: { x: 1 }, y: 1 }), 'The body is not right: it has no field "y".');
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => ["z".repeat(1000) + i, 1]));
  assert.ok(detailOf(schema, { at: { x: 1 }, ...many }).length < 200);
});

Deno.test("parse() tells of the one of several schemas that a value comes nearest to", () => {
  assert.equal(detailOf(Content, { image: 5 }), '"image" is not right: it must be a text.');
  assert.equal(detailOf(Content, { embedding: [1] }), '"fingerprint" is not right: it must be there.');
  assert.equal(
    detailOf(Content, { embedding: ["1"], fingerprint: "f" }),
    '"embedding.0" is not right: it must be numbers.',
  );
  assert.match(
    detailOf(Content, { image: "i", embedding: [1], fingerprint: "f" }),
    /^The body is not right: .*"embedding"/,
  );
  assert.equal(detailOf(z.object({ a: Content }), { a: { image: 5 } }), '"a.image" is not right: it must be a text.');
});
