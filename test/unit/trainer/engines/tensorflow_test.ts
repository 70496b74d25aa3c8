import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { EngineMissing } from "../../../../trainer/engines/engine.ts";
import { readBuild, writeBuild } from "../../../../trainer/engines/tensorflow/addon.ts";
import {
  type Compilation,
  compile,
  compilerArguments,
  findCompiler,
} from "../../../../trainer/engines/tensorflow/compiler.ts";
import { findTensorFlow, LIBRARIES } from "../../../../trainer/engines/tensorflow/find_tensorflow.ts";
import { findGpu } from "../../../../trainer/engines/tensorflow/gpu.ts";
import { cudaEngine, nodeEngine } from "../../../../trainer/engines/tensorflow/mod.ts";
import { installPackage } from "../../../../trainer/engines/tensorflow/packages.ts";

const HEADER = "include/tensorflow/c/eager/c_api.h";
const INFO = "python/platform/build_info.py";

Deno.test("findTensorFlow finds the package in its own folder, in the one that holds it, and in a virtual environment", async () => {
  const venv = await Deno.makeTempDir();
  const site = `${venv}/lib/python3.12/site-packages`;
  await writeFiles(`${site}/tensorflow`, [...LIBRARIES, HEADER]);
  for (const given of [`${site}/tensorflow`, site, venv]) {
    assert.deepEqual(await findTensorFlow(given), {
      libraries: await Deno.realPath(`${site}/tensorflow`),
      include: await Deno.realPath(`${site}/tensorflow/include`),
      cuda: false,
    });
  }
});

Deno.test("findTensorFlow tells a TensorFlow for GPUs from one for CPUs", async () => {
  const folder = await Deno.makeTempDir();
  await writeFiles(folder, [...LIBRARIES, HEADER]);
  for (const [value, cuda] of [["True", true], ["False", false]] as const) {
    await writeFiles(
      folder,
      [INFO],
      `build_info = OrderedDict([('cuda_version', '12.5.1'), ('is_cuda_build', ${value})])`,
    );
    assert.equal((await findTensorFlow(folder)).cuda, cuda);
  }
});

Deno.test("findTensorFlow says how to install what is missing: TensorFlow, a library of it, its headers", async () => {
  const folder = await Deno.makeTempDir();
  await rejects(findTensorFlow(folder), folder, "holds no TensorFlow", "pip install");
  await writeFiles(folder, [LIBRARIES[1]]);
  await rejects(findTensorFlow(folder), folder, `no ${LIBRARIES[0]}`, "pip install");
  await writeFiles(folder, LIBRARIES);
  await rejects(findTensorFlow(folder), folder, "no headers", "pip install");
});

Deno.test("findTensorFlow says how to install TensorFlow where python3 has none, or is missing itself", async () => {
  const folder = await Deno.makeTempDir();
  await withEnv({ PATH: folder }, () => rejects(findTensorFlow(), "No TensorFlow", "pip install", "--tensorflow DIR"));
});

Deno.test("findCompiler says how to install a compiler where there is none, or where CXX names one that does not run", async () => {
  const folder = await Deno.makeTempDir();
  await withEnv(
    { PATH: folder, CXX: undefined },
    () => rejects(findCompiler(), "no C++ compiler", "apt-get install g++"),
  );
  await withEnv({ CXX: "no-such-compiler" }, () => rejects(findCompiler(), "no-such-compiler", "CXX"));
});

Deno.test("compilerArguments names headers, definitions, sources, and the libraries with where they lie at run time", () => {
  const job: Compilation = {
    sources: ["a.cc", "b.cc"],
    include: ["/headers"],
    define: ["NAPI_VERSION=8"],
    libraryFolder: "/tf",
    libraries: LIBRARIES,
    output: "out.node",
  };
  const text = compilerArguments(job).join(" ");
  assert.match(text, /-DNAPI_VERSION=8 -I\/headers a\.cc b\.cc -o out\.node -L\/tf/);
  assert.match(text, /-l:libtensorflow_cc\.so\.2 -l:libtensorflow_framework\.so\.2 -Wl,-rpath,\/tf$/);
});

const compiler = await findCompiler().catch((error: EngineMissing) => {
  console.log(`Compilation is not tested: ${error.message}`);
});
Deno.test({
  name: "compile makes a library that runs and finds the one that it is linked with",
  ignore: compiler === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    const job = (name: string, libraries: string[]): Compilation => ({
      ...{ sources: [`${folder}/${name}.cc`], include: [folder], define: ["TWICE=2"], libraryFolder: folder },
      ...{ libraries, output: `${folder}/lib${name}.so` },
    });
    await writeFiles(folder, ["half.h"], 'extern "C" int twice(int);');
    await writeFiles(folder, ["half.cc"], '#include "half.h"\nint twice(int x) { return TWICE * x; }');
    await writeFiles(
      folder,
      ["whole.cc"],
      '#include "half.h"\nextern "C" int fourfold(int x) { return twice(twice(x)); }',
    );
    await compile(compiler!, job("half", []));
    await compile(compiler!, job("whole", ["libhalf.so"]));
    const library = Deno.dlopen(`${folder}/libwhole.so`, { fourfold: { parameters: ["i32"], result: "i32" } });
    assert.equal(library.symbols.fourfold(21), 84);
    library.close();
  },
});

Deno.test({
  name: "compile tells the compiler's first error",
  ignore: compiler === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    await writeFiles(folder, ["a.cc"], '#include "no_such_header.h"');
    const job = { sources: [`${folder}/a.cc`], include: [], define: [], libraryFolder: folder, libraries: [] };
    await rejects(compile(compiler!, { ...job, output: `${folder}/a.so` }), "no_such_header.h", "--tensorflow DIR");
  },
});

Deno.test("installPackage unpacks the tarball of the registry once, and runs nothing of it", async () => {
  const folder = await Deno.makeTempDir();
  const manifest = JSON.stringify({ version: "1.2.3", scripts: { install: `touch ${folder}/ran` } });
  const long = `${"long/".repeat(25)}file.txt`;
  await using registry = await serveTarball({ "package.json": manifest, [long]: "text" });
  const wanted = { name: "@scope/thing", version: "1.2.3", sha512: registry.sha512 };
  for (let i = 0; i < 2; i++) await installPackage(`${folder}/node_modules`, wanted);
  assert.equal(await Deno.readTextFile(`${folder}/node_modules/@scope/thing/package.json`), manifest);
  assert.equal(await Deno.readTextFile(`${folder}/node_modules/@scope/thing/${long}`), "text");
  assert.deepEqual(registry.requests, ["/@scope/thing/-/thing-1.2.3.tgz"]);
  await assert.rejects(Deno.stat(`${folder}/ran`), Deno.errors.NotFound);
});

Deno.test("installPackage replaces another version", async () => {
  const folder = await Deno.makeTempDir();
  await writeFiles(`${folder}/thing`, ["package.json"], '{ "version": "1.0.0" }');
  await writeFiles(`${folder}/thing`, ["old.js"]);
  await using registry = await serveTarball({ "package.json": '{ "version": "1.2.3" }' });
  await installPackage(folder, { name: "thing", version: "1.2.3", sha512: registry.sha512 });
  const names = (await Array.fromAsync(Deno.readDir(`${folder}/thing`))).map((entry) => entry.name);
  assert.deepEqual(names, ["package.json"]);
});

Deno.test("installPackage refuses another tarball than the one that was pinned, and says when it can have none", async () => {
  const folder = await Deno.makeTempDir();
  const wanted = { name: "thing", version: "1.2.3", sha512: "AAAA" };
  {
    await using _registry = await serveTarball({ "package.json": "{}" });
    await rejects(installPackage(folder, wanted), "thing-1.2.3.tgz", "pinned", "SHA-512");
    await rejects(installPackage(folder, { ...wanted, version: "404" }), "answered 404");
  }
  await withEnv(
    { NPM_CONFIG_REGISTRY: "http://localhost:1" },
    () => rejects(installPackage(folder, wanted), "cannot be fetched", "go online"),
  );
  await assert.rejects(Deno.stat(`${folder}/thing`), Deno.errors.NotFound);
});

Deno.test("the engines say that they are not made yet, and by which command they are", async () => {
  await inFolder(await Deno.makeTempDir(), async () => {
    await rejects(nodeEngine.start(), "not made", "deno task engine");
    await rejects(cudaEngine.start(), "not made", "deno task engine");
  });
});

Deno.test("the node engine says with which TensorFlow it was made when it does not load", async () => {
  const folder = await Deno.makeTempDir();
  await writeFiles(
    folder,
    [".triptych/engine/node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node"],
    "junk",
  );
  await writeBuild(`${folder}/.triptych/engine`, { tensorflow: "/gone/tensorflow", cuda: false });
  assert.equal((await readBuild(`${folder}/.triptych/engine`)).tensorflow, "/gone/tensorflow");
  await inFolder(folder, () => rejects(nodeEngine.start(), "/gone/tensorflow", "does not load", "deno task engine"));
});

Deno.test("the cuda engine asks for another TensorFlow where it was made for one of CPUs", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/.triptych/engine`, { recursive: true });
  await writeBuild(`${folder}/.triptych/engine`, { tensorflow: "/some/tensorflow", cuda: false });
  await inFolder(folder, () => rejects(cudaEngine.start(), "/some/tensorflow", "tensorflow[and-cuda]"));
});

Deno.test("an engine that may not be loaded says so, and does not ask the person at the terminal", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/.triptych/engine`, { recursive: true });
  await writeBuild(`${folder}/.triptych/engine`, { tensorflow: "/some/tensorflow", cuda: true });
  const modules = new URL("../../../../trainer/engines/tensorflow/mod.ts", import.meta.url);
  const program = `import { cudaEngine, nodeEngine } from "${modules}";
    for (const engine of [cudaEngine, nodeEngine]) await engine.start().catch((error) => console.log(error.message));`;
  await Deno.writeTextFile(`${folder}/program.ts`, program);
  const config = new URL("../../../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", config, "--allow-read", "--allow-env", "--allow-sys", `${folder}/program.ts`],
    cwd: folder,
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(lines.length, 2);
  lines.forEach((line) => assert.match(line, /--allow-ffi/));
});

Deno.test("findGpu names the GPU, or says that driver or GPU are missing", () => {
  try {
    assert.notEqual(findGpu(), "");
  } catch (error) {
    assert.ok(error instanceof EngineMissing);
    assert.match(error.message, /There is no NVIDIA driver|NVIDIA's driver finds no GPU/);
  }
});

for (
  const [args, code, sentence] of [
    [["--help"], 0, /Usage: deno task engine \[cuda\|node\]/],
    [["abacus"], 2, /makes cuda or node, not abacus/],
    [["node", "cuda"], 2, /makes cuda or node, not node cuda/],
    [["--abacus"], 2, /--abacus.*See --help/s],
    [["node", "--tensorflow", "test/fixtures"], 1, /test\/fixtures holds no TensorFlow/],
  ] as const
) {
  Deno.test(`deno task engine ${args.join(" ")} ends with status ${code}`, async () => {
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "scripts/engine.ts", ...args],
    }).output();
    const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
    assert.equal(output.code, code, text);
    assert.match(text, sentence);
    assert.doesNotMatch(text, /defect/);
  });
}

async function rejects(promise: Promise<unknown>, ...parts: string[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof EngineMissing, String(error));
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

async function writeFiles(folder: string, paths: string[], text = ""): Promise<void> {
  for (const path of paths) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
}

async function withEnv(values: Record<string, string | undefined>, run: () => Promise<void>): Promise<void> {
  const set = (entries: [string, string | undefined][]) =>
    entries.forEach(([name, value]) => value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value));
  const before = Object.keys(values).map((name): [string, string | undefined] => [name, Deno.env.get(name)]);
  set(Object.entries(values));
  try {
    await run();
  } finally {
    set(before);
  }
}

async function inFolder(folder: string, run: () => Promise<void>): Promise<void> {
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    await run();
  } finally {
    Deno.chdir(before);
  }
}

/** A registry that has one tarball, as npm packs them, for every package of version 1.2.3. */
async function serveTarball(files: Record<string, string>) {
  const folder = await Deno.makeTempDir();
  for (const [path, text] of Object.entries(files)) await writeFiles(`${folder}/package`, [path], text);
  const args = ["-czf", "package.tgz", "--format=ustar", "package"];
  assert.ok((await new Deno.Command("tar", { args, cwd: folder }).output()).success);
  const tarball = await Deno.readFile(`${folder}/package.tgz`);
  const requests: string[] = [];
  const server = Deno.serve({ port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    return pathname.endsWith("-1.2.3.tgz") ? new Response(tarball) : new Response("none", { status: 404 });
  });
  const before = Deno.env.get("NPM_CONFIG_REGISTRY");
  Deno.env.set("NPM_CONFIG_REGISTRY", `http://localhost:${server.addr.port}/`);
  return {
    requests,
    sha512: new Uint8Array(await crypto.subtle.digest("SHA-512", tarball)).toBase64(),
    async [Symbol.asyncDispose]() {
      if (before === undefined) Deno.env.delete("NPM_CONFIG_REGISTRY");
      else Deno.env.set("NPM_CONFIG_REGISTRY", before);
      await server.shutdown();
    },
  };
}
