import { UsageError } from "../../../shared/errors.ts";
import type { BackboneName } from "../../../trainer/models/backbones.ts";

/** The backbones that are trained, here and in `torch_networks.py`. */
export const BENCH_BACKBONES = [
  "thin-resnet",
  "resnet18",
  "efficientnet-lite0",
  "resnet50",
] as const satisfies readonly BackboneName[];

/** A network at one size of image. */
export interface BenchNetwork {
  /** As `--networks` takes it, such as `resnet18-64`. */
  name: string;
  backbone: typeof BENCH_BACKBONES[number];
  /** Height and width of the images. */
  pixels: number;
  /** Images in a batch, unless others are asked for. */
  batch: number;
  /** Steps of a round, unless others are asked for: several where one is too short to be timed. */
  steps: number;
}

/** What is trained. */
export const NETWORKS: readonly BenchNetwork[] = [
  { name: "thin-resnet-64", backbone: "thin-resnet", pixels: 64, batch: 32, steps: 5 },
  { name: "resnet18-64", backbone: "resnet18", pixels: 64, batch: 32, steps: 2 },
  { name: "resnet18-112", backbone: "resnet18", pixels: 112, batch: 32, steps: 1 },
  { name: "efficientnet-lite0-160", backbone: "efficientnet-lite0", pixels: 160, batch: 48, steps: 1 },
  { name: "resnet50-112", backbone: "resnet50", pixels: 112, batch: 32, steps: 1 },
];

/**
 * The networks that a person means.
 *
 * @param text names separated by commas, or how many of {@link NETWORKS}; all, unless given
 * @throws {UsageError} if there is no such network
 */
export function chooseNetworks(text: string | undefined): readonly BenchNetwork[] {
  if (text === undefined) return NETWORKS;
  const count = Number(text);
  if (Number.isInteger(count) && count > 0 && count <= NETWORKS.length) return NETWORKS.slice(0, count);
  return text.split(",").map((name) => {
    const network = NETWORKS.find((network) => network.name === name);
    if (network) return network;
    const names = NETWORKS.map(({ name }) => name).join(", ");
    throw new UsageError(`--networks takes 1 to ${NETWORKS.length}, or some of ${names}, not ${name}.`);
  });
}
