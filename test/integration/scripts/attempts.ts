/** Tries what a worker that was taken over would try, and prints what came of each attempt: done, or refused by the runtime. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";

const [folder] = Deno.args;

const ATTEMPTS: Record<string, () => unknown> = {
  "read the model": () => Deno.readTextFileSync(`${folder}/model/model.json`),
  "read the keys": () => Deno.readTextFileSync(`${folder}/keys.json`),
  "write beside the gallery": () => Deno.writeTextFileSync(`${folder}/gallery/x`, ""),
  "write beside the audit log": () => Deno.writeTextFileSync(`${folder}/audit/x`, ""),
  "see its own variable": () => Deno.env.get("TRIPTYCH_MODEL"),
  "read a file beside its folders": () => Deno.readTextFileSync(`${folder}/secret.txt`),
  "read it with Node's module": () => readFileSync(`${folder}/secret.txt`),
  "read it through a path upward": () => Deno.readTextFileSync(`${folder}/gallery/../secret.txt`),
  "read it through a link": () => {
    Deno.symlinkSync(`${folder}/secret.txt`, `${folder}/gallery/link`);
    return Deno.readTextFileSync(`${folder}/gallery/link`);
  },
  "open it as a database": () => new DatabaseSync(`${folder}/secret.txt`),
  "attach it to a database": () =>
    new DatabaseSync(`${folder}/gallery/y`).exec(`ATTACH DATABASE '${folder}/elsewhere' AS e; CREATE TABLE e.t (a)`),
  "load an extension into a database": () =>
    new DatabaseSync(`${folder}/gallery/z`, { allowExtension: true }).loadExtension(`${folder}/gallery/x`),
  "read the passwords": () => Deno.readTextFileSync("/etc/passwd"),
  "read the environment of its process": () => Deno.readTextFileSync("/proc/self/environ"),
  "list the root": () => [...Deno.readDirSync("/")],
  "write beside its folders": () => Deno.writeTextFileSync(`${folder}/x`, ""),
  "change the model": () => Deno.writeTextFileSync(`${folder}/model/model.json`, "{}"),
  "change the keys": () => Deno.writeTextFileSync(`${folder}/keys.json`, "{}"),
  "change its own code": () => Deno.writeTextFileSync(new URL("../../../worker/x.ts", import.meta.url), ""),
  "see a variable of others": () => Deno.env.get("AWS_SECRET_ACCESS_KEY"),
  "see it with Node's module": () => Deno.env.toObject(),
  "start a process": () => new Deno.Command("true").outputSync(),
  "start a process with Node's module": () => {
    const { error } = spawnSync("true");
    if (error) throw error;
  },
  "start itself again": () => new Deno.Command(Deno.execPath(), { args: ["--version"] }).outputSync(),
  "end another process": () => Deno.kill(Deno.ppid, "SIGCONT"),
  "call out": () => fetch("http://192.0.2.1/"),
  "call the platform's metadata": () => fetch("http://169.254.169.254/latest/meta-data/"),
  "call this machine's other ports": () => Deno.connect({ hostname: "127.0.0.1", port: 22 }),
  "connect with Node's module": () =>
    new Promise((resolve, reject) => connect(22, "127.0.0.1", () => resolve(null)).on("error", reject)),
  "resolve a name": () => Deno.resolveDns("example.com", "A"),
  "listen elsewhere": () => Deno.listen({ hostname: "127.0.0.1", port: 18_999 }),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "ask who it runs as": () => Deno.uid(),
  "fetch a package": () => import(["npm:", "left-pad@1.3.0"].join("")),
  "fetch code": () => import(["https://", "example.com/x.ts"].join("")),
};

const outcomes: Record<string, string> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    outcomes[name] = "done";
  } catch (error) {
    outcomes[name] = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
console.log(JSON.stringify(outcomes));
// A connection that was let through would keep it from ending.
Deno.exit();
