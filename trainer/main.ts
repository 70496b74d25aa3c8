/**
 * The command line of the trainer: `train`, `evaluate`, `export`. Nothing else knows about arguments.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf, TriptychError, UsageError } from "../shared/errors.ts";
import { Config, describeSettings, PRESET_DATA, PRESETS, resolveConfig } from "./config.ts";
import { ENGINES } from "./engines/mod.ts";
import { evaluateModel, type ModelEvaluation } from "./evaluate.ts";
import type { Scheme } from "./export/mod.ts";
import { exportCheckpoint } from "./export_checkpoint.ts";
import { duration, terminalReporter } from "./report/progress.ts";
import {
  evaluationTable,
  failureTable,
  gallerySentence,
  identificationTable,
  layerErrorTable,
  thresholdTable,
} from "./report/tables.ts";
import { train } from "./train.ts";

interface Command {
  usage: string;
  options: NonNullable<ParseArgsConfig["options"]>;
  /** Whether it ends by itself, with its work saved, when the signal is given. */
  stopsItself?: boolean;
  run(values: Values, signal: AbortSignal): Promise<void>;
}

/** What the machine says when it has no room left, and what a person can do. */
const SHORTAGES: [pattern: RegExp, sentence: (message: string) => string][] = [
  [
    /os error (27|28|122)\)/,
    (message) => `The disk is full: ${message}. Make room and go on with --resume; the last good checkpoint is kept.`,
  ],
  [
    /memory access out of bounds|allocation failed|out of memory/i,
    (message) =>
      `The memory is full: ${message}. Take a smaller batch or imageSize, or freeze more layers; the last good checkpoint is kept.`,
  ],
];

/** Options as given: texts, lists of texts, and flags. */
type Values = Record<string, string | string[] | boolean | undefined>;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 };

const COMMANDS: Record<string, Command> = {
  train: {
    usage: `Trains an embedder on photos and writes a model directory that the worker serves.

Usage: deno task train --data DIR|FILE --out DIR [options]

  --data DIR|FILE        one folder per identity, or train/, val/, test/ with such folders in them;
                         or a .csv or .jsonl file: path,identity[,split]; or mnist: or mnist:DIR
                         (default: that of the preset, mnist: for mnist-seed and siamese-seed)
  --gallery DIR|FILE     photos to look the test photos up in, such as packshots, one folder per identity
                         (default: packshots/ in --data, if it is there)
  --out DIR              where model, checkpoint, report.html, metrics.json and TensorBoard's events go
  --preset NAME          ${Object.keys(PRESETS).join(", ")} (default products)
  --config FILE          settings as JSON
  --set KEY=VALUE        one setting; may be repeated
  --freeze NAME          as --set freeze=NAME
  --rescue               as --set rescue=true
  --qat                  as --set qat=true: exports int8, and trains the network for it at the end (quantisation-aware training)
  --engine NAME          ${["auto", ...Object.keys(ENGINES)].join(", ")} (default auto)
  --resume               goes on from the checkpoint in --out
  --max-unreadable N     share of files that may be unreadable (default 0.05)
  --verbose              says where in the program an error arose

Settings:
${describeSettings()}`,
    options: {
      data: { type: "string" },
      gallery: { type: "string" },
      out: { type: "string" },
      preset: { type: "string" },
      config: { type: "string" },
      set: { type: "string", multiple: true },
      freeze: { type: "string" },
      rescue: { type: "boolean" },
      qat: { type: "boolean" },
      engine: { type: "string", default: "auto" },
      resume: { type: "boolean", default: false },
      "max-unreadable": { type: "string", default: "0.05" },
    },
    stopsItself: true,
    async run(values, signal) {
      const started = performance.now();
      const result = await train({
        data: required({ data: PRESET_DATA[values.preset as string], ...values }, "data"),
        gallery: values.gallery as string | undefined,
        out: required(values, "out"),
        config: await configOf(values),
        engine: values.engine as string,
        resume: values.resume as boolean,
        maxUnreadable: share(values["max-unreadable"] as string),
        reporter: terminalReporter(),
        signal,
      });
      console.log(
        evaluationTable({
          untrained: result.untrained,
          ...(result.pretrained && { "weights as given": result.pretrained }),
          trained: result.trained.evaluation,
          [result.card.quantization.scheme]: result.card.evaluation,
        }, `identities ${result.seen ? "trained on too" : "never trained on"}`),
      );
      if (result.inGallery) console.log(gallerySentence(result.inGallery.figures));
      console.log(thresholdTable(result.trained));
      if (result.layers) console.log(layerErrorTable(result.layers, WORST));
      console.log(
        `Wrote ${values.out}/model.json in ${
          duration(performance.now() - started)
        }. Serve it: TRIPTYCH_MODEL=${values.out} deno task serve`,
      );
    },
  },
  evaluate: {
    usage: `Judges an exported model on photos, run as the worker runs it.

Usage: deno task evaluate --model DIR --data DIR [options]

  --model DIR            a model directory
  --data DIR|FILE        photos, as for training: the test part, or all of them if there are no parts
  --gallery DIR|FILE     photos to look these up in, such as packshots, one folder per identity
                         (default: packshots/ in --data, if it is there)
  --report FILE          writes the figures as an HTML page, with the photos that are confused
  --json                 the figures as JSON, with every photo that is taken for another identity
  --max-unreadable N     share of files that may be unreadable (default 0.05)
  --verbose              says where in the program an error arose`,
    options: {
      model: { type: "string" },
      data: { type: "string" },
      gallery: { type: "string" },
      report: { type: "string" },
      json: { type: "boolean", default: false },
      "max-unreadable": { type: "string", default: "0.05" },
    },
    async run(values) {
      const result = await evaluateModel({
        model: required(values, "model"),
        data: required(values, "data"),
        gallery: values.gallery as string | undefined,
        report: values.report as string | undefined,
        maxUnreadable: share(values["max-unreadable"] as string),
        reporter: terminalReporter(),
      });
      console.log(values.json ? JSON.stringify(result, null, 2) : evaluationText(values.model as string, result));
      if (values.report) console.error(`Wrote ${values.report}.`);
    },
  },
  export: {
    usage: `Writes another graph model from a training run.

Usage: deno task export --checkpoint DIR --out DIR [--quantize none|float16|uint8|int8]

  --checkpoint DIR       the --out directory of a training run
  --data DIR             the photos of that run (default: where they were)
  --out DIR              where the model goes
  --quantize SCHEME      how the weights are stored, or int8 for a model that also computes in 8 bits: the ranges of its
                         values are measured on photos of the run, and quantization.json says where error arises
                         (default: as the run was configured)
  --verbose              says where in the program an error arose`,
    options: {
      checkpoint: { type: "string" },
      data: { type: "string" },
      out: { type: "string" },
      quantize: { type: "string" },
    },
    async run(values) {
      const { card, layers } = await exportCheckpoint({
        checkpoint: required(values, "checkpoint"),
        data: values.data as string | undefined,
        out: required(values, "out"),
        quantize: schemeOf(values.quantize as string | undefined),
        reporter: terminalReporter(),
      });
      console.log(evaluationTable({ [card.quantization.scheme]: card.evaluation }));
      if (layers) console.log(layerErrorTable(layers, WORST));
      console.log(`Wrote ${values.out}/model.json, ${card.quantization.bytes} bytes of weights.`);
    },
  },
};

/** How many of the worst identities are printed. */
const WORST = 10;

function evaluationText(model: string, result: ModelEvaluation): string {
  return [
    evaluationTable({ [model]: result.evaluation }),
    thresholdTable(result),
    identificationTable(result.identification),
    failureTable(result.failures, WORST),
    ...result.gallery
      ? [
        "",
        gallerySentence(result.gallery),
        identificationTable(result.gallery.identification),
        failureTable(result.gallery.failures, WORST),
      ]
      : [],
  ].join("\n");
}

/** The settings that were given; none where a run goes on and nothing was given. */
async function configOf(
  { preset, config, set = [], freeze, rescue, qat, resume }: Values,
): Promise<Config | undefined> {
  const flags = { rescue, qat };
  const single = [
    ...set as string[],
    ...freeze ? [`freeze=${freeze}`] : [],
    ...Object.entries(flags).flatMap(([name, given]) => given ? [`${name}=true`] : []),
  ];
  if (resume && preset === undefined && config === undefined && single.length === 0) return undefined;
  return resolveConfig({
    preset: preset as string | undefined,
    file: config === undefined ? undefined : await readJson(config as string),
    set: single,
  });
}

/**
 * Runs a command.
 *
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C
 */
export async function main(args: string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, args[0] ?? "") ? COMMANDS[args[0]] : undefined;
  if (!command) {
    console.error(`Usage: deno task train|evaluate|export ...; each takes --help.`);
    return EXIT.usage;
  }
  const verbose = args.includes("--verbose");
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  if (command.stopsItself) SIGNALS.forEach((signal) => Deno.addSignalListener(signal, onSignal));
  try {
    const values = parse(command, args.slice(1));
    if (values.help) console.log(command.usage);
    else await command.run(values, interrupt.signal);
    return interrupt.signal.aborted ? EXIT.interrupted : EXIT.done;
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) return EXIT.interrupted;
    const shortage = SHORTAGES.find(([pattern]) => pattern.test(messageOf(error)))?.[1];
    console.error(
      verbose && error instanceof Error ? error.stack : `error: ${shortage?.(messageOf(error)) ?? messageOf(error)}`,
    );
    if (!(error instanceof TriptychError) && shortage === undefined && !verbose) {
      console.error("This is a defect of ours; --verbose says where it arose.");
    }
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  } finally {
    if (command.stopsItself) SIGNALS.forEach((signal) => Deno.removeSignalListener(signal, onSignal));
  }
}

function parse(command: Command, args: string[]): Values {
  const options = { ...command.options, help: { type: "boolean", short: "h" }, verbose: { type: "boolean" } } as const;
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values as Values;
  } catch (error) {
    throw new UsageError(`${messageOf(error)} See --help.`);
  }
}

function required(values: Values, name: string): string {
  const value = values[name];
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} is missing; see --help.`);
  return value.length > 1 ? value.replace(/\/+$/, "") : value;
}

function schemeOf(text: string | undefined): Scheme | undefined {
  const parsed = Config.shape.quantize.safeParse(text);
  if (!parsed.success) throw new UsageError(`--quantize is none, float16, uint8 or int8, not ${text}.`);
  return text === undefined ? undefined : parsed.data;
}

function share(text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0 && value <= 1)) {
    throw new UsageError(`--max-unreadable is a share from 0 to 1, not ${text}.`);
  }
  return value;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new UsageError(`Cannot read the settings in ${path}: ${messageOf(error)}.`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
