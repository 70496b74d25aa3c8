import assert from "node:assert/strict";
import { BrokenChainError, digestOf, followChain, GENESIS, nextLine } from "../../../../worker/audit/chain.ts";

const lines: string[] = [];
for (let i = 0, previous = GENESIS; i < 20; i++, previous = digestOf(lines[lines.length - 1])) {
  const event = { action: "enrol", collection: "default", subject: `s${i}`, image: `i${i}` } as const;
  lines.push(nextLine(event, new Date(1e12 + i).toISOString(), previous));
}
const text = (lines: string[]) => lines.map((line) => `${line}\n`).join("");
const faultIn = (text: string) => {
  try {
    followChain(text, "audit.jsonl");
    return null;
  } catch (error) {
    assert.ok(error instanceof BrokenChainError);
    return error.line;
  }
};

Deno.test("followChain() takes a whole chain and gives the digest of its last line", () => {
  assert.deepEqual(followChain(text(lines), "audit.jsonl"), { lines: 20, head: digestOf(lines[19]) });
  assert.deepEqual(followChain("", "audit.jsonl"), { lines: 0, head: GENESIS });
});

Deno.test("followChain() finds any line but the last that was changed, at the line after", () => {
  for (let i = 0; i < 19; i++) {
    assert.equal(faultIn(text(lines.with(i, lines[i].replace(`"s${i}"`, `"other"`)))), i + 2);
  }
});

Deno.test("followChain() finds any line but the last that was removed, at the line that took its place", () => {
  for (let i = 0; i < 19; i++) assert.equal(faultIn(text(lines.toSpliced(i, 1))), i + 1);
});

Deno.test("followChain() finds a line that was inserted or moved, even one that fits the line before", () => {
  for (let i = 0; i < 19; i++) {
    assert.equal(faultIn(text(lines.toSpliced(i, 0, lines[i]))), i + 2);
    const previous = i === 0 ? GENESIS : digestOf(lines[i - 1]);
    const forged = nextLine(
      { action: "delete-subject", collection: "default", subject: "s" },
      "2026-01-01T00:00:00Z",
      previous,
    );
    assert.equal(faultIn(text(lines.toSpliced(i, 0, forged))), i + 2);
  }
});

Deno.test("followChain() finds what is no entry, and a last line without its end", () => {
  assert.equal(faultIn(text(lines.with(4, "{}"))), 5);
  assert.equal(faultIn(text(lines.with(4, "nonsense"))), 5);
  assert.equal(faultIn(text(lines).slice(0, -1)), 20);
});
