import * as tf from "@tensorflow/tfjs";
import { ModelError } from "../../../shared/errors.ts";
import { packageFile } from "../../../shared/package_file.ts";
import { readFile } from "../../../shared/read_file.ts";

/** A network's weights as npm `@vladmandic/face-api` ships them. */
export interface FaceApiWeights {
  /** `NAME-weights_manifest.json`: a tfjs manifest, 8 bits a weight. */
  manifest: Uint8Array;
  /** `NAME.bin`. */
  data: Uint8Array;
}

/** The files of one network in the npm package, such as `face_recognition_model`. */
export async function readFaceApi(network: string): Promise<FaceApiWeights> {
  const read = (ending: string) => readFile(packageFile(`@vladmandic/face-api/model/${network}${ending}`));
  return { manifest: await read("-weights_manifest.json"), data: await read(".bin") };
}

/** Values by name, such as `conv32_1/conv1/conv/filters`. */
type Tensors = Map<string, Float32Array>;

/** What face-api calls each kind of weight. */
const KINDS: Record<string, string[]> = {
  kernel: ["filters", "weights"],
  bias: ["bias"],
  depthwise_kernel: ["depthwise_filter"],
  pointwise_kernel: ["pointwise_filter"],
};

/**
 * Puts face-api's weights into the same network of ours: `tinyFaceDetector`, `faceLandmarks`, or an embedder with the backbone
 * `face-resnet` and 128 dimensions. Scales behind a convolution are folded into it.
 *
 * @throws {ModelError} if a weight is missing, left over, or of another size
 */
export async function loadFaceApi(model: tf.LayersModel, weights: FaceApiWeights): Promise<void> {
  const tensors = await decode(weights);
  const left = new Set(tensors.keys());
  const take = (name: string): Float32Array | undefined => {
    left.delete(name);
    return tensors.get(name);
  };
  const found = model.layers.filter(({ weights }) => weights.length > 0).map((layer) => ({
    layer,
    values: weightsOf(layer, faceApiName(layer.name), take),
  }));
  if (left.size > 0) {
    throw new ModelError(`face-api's weights have no place in ${model.name}: ${[...left].join(", ")}.`);
  }
  tf.tidy(() => {
    for (const { layer, values } of found) {
      layer.setWeights(values.map((of, i) => tf.tensor(of, layer.weights[i].shape as number[])));
    }
  });
}

/** The values of a layer's weights, in their order. */
function weightsOf(layer: tf.layers.Layer, name: string, take: (name: string) => Float32Array | undefined) {
  const base = take(`${name}/scale/weights`), shift = take(`${name}/scale/biases`);
  const prefix = base === undefined ? name : `${name}/conv`;
  return layer.weights.map(({ originalName, shape }) => {
    const kind = originalName.split("/").at(-1)!;
    const size = (shape as number[]).reduce((product, side) => product * side, 1);
    // The matrix behind the pooled features stands alone, without a bias.
    const alone = name === "fc" && kind === "kernel" ? take(name) : undefined;
    const values = alone ?? KINDS[kind].map((own) => take(`${prefix}/${own}`)).find((own) => own !== undefined) ??
      (layer.name === "head" && kind === "bias" ? new Float32Array(size) : undefined);
    if (values?.length !== size) {
      throw new ModelError(
        `face-api's weights do not fit ${layer.name}: ${prefix} has ${
          values?.length ?? "no"
        } values for ${kind}, not ${size}.`,
      );
    }
    if (base === undefined) return values;
    return kind === "bias"
      ? values.map((value, i) => value * base[i] + shift![i])
      : values.map((value, i) => value * base[i % base.length]);
  });
}

/** `stage2_block1_conv1` to `conv64_down/conv1`, `dense0_conv1` to `dense0/conv1`. */
function faceApiName(layer: string): string {
  const outside: Record<string, string> = { stem: "conv32_down", head: "fc" };
  const inside = /^stage(\d)_block(\d)_(conv\d)$/.exec(layer);
  if (inside === null) return outside[layer] ?? layer.replace("_", "/");
  const [, stage, block, convolution] = inside;
  const filters = ["32", "64", "128", "256", "256"][Number(stage) - 1];
  // The first stage has no block that halves, and so counts from 1 where the others count from 2.
  const index = stage === "1" ? Number(block) : Number(block) - 1;
  const name = stage === "5" ? "down_out" : index === 0 ? "down" : index;
  return `conv${filters}_${name}/${convolution}`;
}

async function decode({ manifest, data }: FaceApiWeights): Promise<Tensors> {
  const groups: tf.io.WeightsManifestConfig = JSON.parse(new TextDecoder().decode(manifest));
  const tensors = tf.io.decodeWeights(data.slice().buffer, groups.flatMap((group) => group.weights));
  const values = await Promise.all(
    Object.entries(tensors).map(async ([name, tensor]): Promise<[string, Float32Array]> => {
      const of = new Float32Array(await tensor.data());
      tensor.dispose();
      return [name, of];
    }),
  );
  return new Map(values);
}
