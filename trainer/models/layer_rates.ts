import type * as tf from "@tensorflow/tfjs";

/**
 * How fast each layer learns: a block by `decay` slower than the block above it, from the embedding's layer, which has 1,
 * down (Howard and Ruder 2018, "Universal Language Model Fine-tuning", section 3.2; as a power as in BEiT).
 *
 * @param decay 0..1; 1 gives all layers the same rate
 * @returns a factor of the learning rate for each of the model's trainable weights, in their order
 */
export function layerRates(model: tf.LayersModel, decay: number): number[] {
  const layers = model.layers.filter((layer) => layer.trainableWeights.length > 0);
  const blocks = [...new Set(layers.map(({ name }) => blockOf(name)))];
  return layers.flatMap((layer) => {
    const below = blocks.length - 1 - blocks.indexOf(blockOf(layer.name));
    return layer.trainableWeights.map(() => decay ** below);
  });
}

/** `stage3_block2_conv1` is of `stage3_block2`, `block09_expand_bn` of `block09`, `stem_bn` of `stem`. */
function blockOf(layer: string): string {
  return /^stage\d+_block\d+|^[^_]+/.exec(layer)![0];
}
