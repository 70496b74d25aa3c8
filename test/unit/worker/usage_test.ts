import assert from "node:assert/strict";
import { UsageError } from "../../../shared/errors.ts";
import { readConfig, VARIABLES } from "../../../worker/config.ts";
import { asksForHelp, USAGE } from "../../../worker/usage.ts";

Deno.test("USAGE names every variable that an operator sets, with the defaults", () => {
  for (const name of VARIABLES) if (name !== "DENO_DEPLOYMENT_ID") assert.ok(USAGE.includes(`  ${name} `), name);
  const { maxBody, queue, port, gallery } = readConfig({});
  const path = gallery.kind === "sqlite" && `sqlite:${gallery.path}`;
  for (const value of [maxBody, queue, port, path]) assert.ok(USAGE.includes(`(default ${value})`), String(value));
});

Deno.test("asksForHelp() takes --help and nothing else", () => {
  assert.equal(asksForHelp([]), false);
  assert.equal(asksForHelp(["--help"]), true);
  assert.equal(asksForHelp(["-h"]), true);
  for (const args of [["--port", "9000"], ["serve"], ["--help=yes"], ["--", "x"]]) {
    assert.throws(() => asksForHelp(args), (error) => {
      return error instanceof UsageError && /^[^\n.]+; see deno task serve --help\.$/.test(error.message);
    }, args.join(" "));
  }
});
