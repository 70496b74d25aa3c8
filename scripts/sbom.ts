/**
 * Lists the npm packages that `deno.lock` pins, for who has to know what is inside: a CycloneDX 1.6 document.
 *
 *     deno task sbom
 *
 * @module
 */
import { z } from "zod";

const ROOT = new URL("../", import.meta.url);
const FILE = new URL("SBOM.json", ROOT);

/** The part of `deno.lock` that is read. A package's key is its name, `@`, and its version with those of its peers. */
const Lock = z.object({
  npm: z.record(
    z.string(),
    z.object({ integrity: z.string().regex(/^sha512-/), dependencies: z.array(z.string()).default([]) }),
  ),
});

/** What of `deno info --json` is read: the packages that a program's modules import. */
const Info = z.object({ modules: z.array(z.object({ npmPackage: z.string().optional() })) });

/**
 * The document, the same for the same lock file. `scope` is `required` for what the worker is made of, and `excluded` for
 * what only trainer, tests and tools need.
 */
export async function sbom(): Promise<string> {
  const { npm } = Lock.parse(JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT))));
  const keys = Object.keys(npm).sort();
  const refOf = (dependency: string) => keys.find((key) => key === dependency || key.startsWith(`${dependency}@`));
  const dependenciesOf = (key: string) =>
    npm[key].dependencies.map(refOf).filter((found) => found !== undefined).sort();
  const worker = closure(await importsOf("worker/serve.ts"), dependenciesOf);
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", "bom-ref": "triptych", name: "triptych", version: "0.1.0" } },
    components: keys.map((key) => {
      const { name, version } = parts(key);
      return {
        type: "library",
        "bom-ref": key,
        name,
        version,
        scope: worker.has(key) ? "required" : "excluded",
        purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
        hashes: [{
          alg: "SHA-512",
          content: Uint8Array.fromBase64(npm[key].integrity.slice("sha512-".length)).toHex(),
        }],
      };
    }),
    dependencies: keys.map((ref) => ({ ref, dependsOn: dependenciesOf(ref) })),
  };
  return JSON.stringify(document, null, 2) + "\n";
}

function parts(key: string): { name: string; version: string } {
  const at = key.indexOf("@", 1);
  return { name: key.slice(0, at), version: key.slice(at + 1).split("_")[0] };
}

/** What is reached from some by going on. */
function closure(from: string[], next: (key: string) => string[]): Set<string> {
  const reached = new Set(from);
  for (const key of reached) for (const other of next(key)) reached.add(other);
  return reached;
}

async function importsOf(program: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", program],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(`deno info ${program} failed: ${new TextDecoder().decode(stderr)}`);
  const { modules } = Info.parse(JSON.parse(new TextDecoder().decode(stdout)));
  return modules.flatMap(({ npmPackage }) => npmPackage ?? []);
}

if (import.meta.main) await Deno.writeTextFile(FILE, await sbom());
