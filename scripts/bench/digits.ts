import type { InputSpec } from "../../shared/card.ts";
import { readDataset } from "../../trainer/data/dataset.ts";
import { type Photo, type Probe, readPhotos, readProbes } from "../../trainer/data/photos.ts";
import type { Dataset, Sample } from "../../trainer/data/sample.ts";

const ALL = /^\d$/;

/** Images to train on and images to judge by. */
export interface Digits {
  photos: Photo[];
  probes: Probe[];
}

/** Which digits are in both parts, or each in one of them. */
export type DigitSplit = "seen" | "unseen";

/** The ten digits in both parts, as MNIST is; or 0 to 6 to train on and 7 to 9 to judge by. */
const SPLITS: Record<DigitSplit, { train: RegExp; test: RegExp }> = {
  seen: { train: ALL, test: ALL },
  unseen: { train: /^[0-6]$/, test: /^[7-9]$/ },
};

/**
 * MNIST twice: judged by images of the digits that are trained on, and by digits that are not.
 *
 * @param options.train the most images to train on
 * @param options.test the most images to judge by
 */
export async function readDigits(
  input: InputSpec,
  { train, test }: { train: number; test: number },
): Promise<Record<DigitSplit, Digits>> {
  const mnist = await readDataset("mnist:", 1);
  const of = async (split: DigitSplit): Promise<Digits> => {
    const some = filterDigits(mnist, SPLITS[split]);
    const photos = await readPhotos(some.train.slice(0, train), input, { maxUnreadable: 0 });
    const probes = await readProbes(some.test.slice(0, test), input, { maxUnreadable: 0 });
    return { photos: photos.items, probes: probes.items };
  };
  return { seen: await of("seen"), unseen: await of("unseen") };
}

function filterDigits(
  { train, test }: Dataset,
  digits: { train: RegExp; test: RegExp },
): Pick<Dataset, "train" | "test"> {
  const of = (samples: Sample[], pattern: RegExp) => samples.filter(({ identity }) => pattern.test(identity));
  return { train: of(train, digits.train), test: of(test, digits.test) };
}
