/** An extreme among some of a row's distances, the way TensorFlow Addons computes it. */
export interface MaskedExtreme {
  /** The row's first index in the matrix. */
  readonly start: number;
  /** Length of the row. */
  readonly length: number;
  /** Whether the extreme is taken over an entry of the row. */
  readonly mask: (k: number) => boolean;
  /** The extreme of the masked entries, or `opposite` if none is masked. */
  readonly extreme: number;
  /** The other extreme of the whole row: its largest for a minimum, its smallest for a maximum. */
  readonly opposite: number;
}

/**
 * Adds the derivative of a masked extreme as TensorFlow Addons computes it, `extreme((d - opposite) * mask) + opposite`
 * (`_masked_minimum`, `_masked_maximum`). Entries that tie share it evenly. When the extreme coincides with `opposite`,
 * every entry of the product is 0 and ties, the unmasked ones too, so part of the derivative goes to whatever lies at
 * `opposite`.
 *
 * @param distances `[n * n]` row by row
 * @param gradient is added to, `[n * n]`
 * @param amount derivative of the loss by the extreme
 */
export function pullMaskedExtreme(
  distances: Float32Array,
  gradient: Float32Array,
  { start, length, mask, extreme, opposite }: MaskedExtreme,
  amount: number,
): void {
  const chosen: number[] = [], atOpposite: number[] = [];
  for (let k = 0; k < length; k++) {
    const distance = distances[start + k];
    if (distance === extreme && mask(k)) chosen.push(k);
    if (distance === opposite) atOpposite.push(k);
  }
  const tied = extreme === opposite ? length : chosen.length;
  for (const k of chosen) gradient[start + k] += amount / tied;
  const rest = amount * (1 - chosen.length / tied) / atOpposite.length;
  for (const k of atOpposite) gradient[start + k] += rest;
}
