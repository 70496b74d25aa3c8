/**
 * Makes the TensorFlow engine on this machine, checks it, and says what device it found.
 *
 *     deno task engine [cuda|node] [--tensorflow DIR]
 *
 * @module
 */
import { enableProdMode } from "@tensorflow/tfjs";
import { parseArgs } from "node:util";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { FOLDER } from "../trainer/engines/tensorflow/addon.ts";
import { buildAddon } from "../trainer/engines/tensorflow/build.ts";
import { cudaEngine, nodeEngine } from "../trainer/engines/tensorflow/mod.ts";
import { checkGradients, checkTrainingStep, GRADIENT_CHECKS } from "../trainer/engines/tensorflow/self_check.ts";

const USAGE =
  `Makes tfjs-node's addon on this machine, from the npm package's sources, against the TensorFlow that is installed;
checks it, and says what device it found. Training then takes it with --engine cuda or --engine node.

Usage: deno task engine [cuda|node] [--tensorflow DIR]

  cuda                   for an NVIDIA GPU (default): needs its driver, and pip install "tensorflow[and-cuda]"
  node                   for the CPU: needs pip install tensorflow-cpu
  --tensorflow DIR       the Python package's folder tensorflow/, or a virtual environment with it (default: python3's)
  --verbose              says where in the program an error arose`;

const ENGINES = { cuda: cudaEngine, node: nodeEngine };
const EXIT = { done: 0, failed: 1, usage: 2 };

async function main(args: string[]): Promise<number> {
  try {
    const { values, name } = parse(args);
    if (values.help) return console.log(USAGE), EXIT.done;
    const engine = ENGINES[name];
    // The cpu backend, which the gradients are compared with, otherwise prints an advertisement.
    enableProdMode();
    await buildAddon({ gpu: name === "cuda", tensorflow: values.tensorflow, report: console.error });
    const device = await engine.start();
    await checkGradients(engine);
    const { before, after } = await checkTrainingStep(engine);
    console.error(
      `Checked ${GRADIENT_CHECKS} gradients, and one training step: loss ${before.toFixed(4)} to ${after.toFixed(4)}.`,
    );
    console.log(`${device}. It is in ${FOLDER}; train with --engine ${name}.`);
    return EXIT.done;
  } catch (error) {
    console.error(args.includes("--verbose") && error instanceof Error ? error.stack : `error: ${messageOf(error)}`);
    if (!(error instanceof TriptychError)) console.error("This is a defect of ours; --verbose says where it arose.");
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function parse(args: string[]) {
  const options = {
    tensorflow: { type: "string" },
    help: { type: "boolean", short: "h" },
    verbose: { type: "boolean" },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
  const [name = "cuda", ...more] = parsed.positionals;
  if (!isEngine(name) || more.length > 0) {
    throw new UsageError(`deno task engine makes cuda or node, not ${parsed.positionals.join(" ")}; see --help.`);
  }
  return { values: parsed.values, name };
}

function isEngine(name: string): name is keyof typeof ENGINES {
  return Object.hasOwn(ENGINES, name);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
