import { z } from "zod";
import { whole } from "../whole.ts";

/** A false-match rate. */
export const Fmr = z.string()
  .regex(/^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, "give a number above 0 and below 1")
  .transform(Number)
  .pipe(z.number().gt(0, "give a number above 0").lt(1, "give a number below 1"));

/** How many subjects `/match` answers. */
export const K = whole(1, 100);

/** How many subjects a page has. */
export const Limit = whole(1, 1000);
