import assert from "node:assert/strict";

const deploy = async (...args: string[]) => {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", "--quiet", "deploy", ...args] });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
};

Deno.test("deno task deploy --help ends with 0 and names every option", async () => {
  const { code, stdout } = await deploy("--help");
  assert.equal(code, 0);
  for (const option of ["--runtime", "--model", "--out", "--build-only"]) assert.ok(stdout.includes(`  ${option} `));
});

Deno.test("deno task deploy takes no unknown runtime, option or argument: 2 and one sentence", async () => {
  for (
    const [args, pattern] of [
      [["--runtime", "bun"], /^error: There is no runtime bun; there are deno, node, workerd\.\n$/],
      [["--prod"], /^error: Unknown option '--prod'.*See --help\.\n$/],
      [["prod"], /^error: Unexpected argument 'prod'; those of deno deploy stand after --\. See --help\.\n$/],
    ] as const
  ) {
    const { code, stderr } = await deploy(...args);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
  }
});

Deno.test("deno task deploy refuses a model that is not there with 1", async () => {
  const { code, stderr } = await deploy("--build-only", "--model", "missing");
  assert.equal(code, 1);
  assert.match(stderr, /^error: Cannot read missing\/model\.json: there is no such file;[^\n]+\n$/);
});

Deno.test("deno task deploy removes what it built before and nothing else", async () => {
  const out = await Deno.makeTempDir({ prefix: "triptych-deploy-" });
  for (let i = 0; i < 2; i++) assert.equal((await deploy("--build-only", "--out", out)).code, 0);
  await Deno.remove(`${out}/worker`, { recursive: true });
  const { code, stderr } = await deploy("--build-only", "--out", out);
  assert.equal(code, 2);
  assert.match(stderr, /^error: \S+ holds something else than a worker that was built; give an empty folder\.\n$/);
  assert.ok((await Deno.stat(`${out}/wasm/png.wasm`)).isFile);
  await Deno.remove(out, { recursive: true });
});
