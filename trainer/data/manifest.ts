import { parse } from "csv-parse/sync";
import { dirname, join } from "node:path";
import { z } from "zod";
import { DataError, messageOf } from "../../shared/errors.ts";
import { type ListedSample, PARTS } from "./sample.ts";

const Row = z.object({
  path: z.string("it is missing").min(1, "it is empty"),
  identity: z.string("it is missing").min(1, "it is empty"),
  split: z.union([z.enum(PARTS), z.literal("").transform(() => undefined)], `give ${PARTS.join(", ")} or nothing`)
    .optional(),
});

/** Whether a data set is a manifest, by its name. */
export function isManifest(source: string): boolean {
  return /\.(csv|jsonl)$/i.test(source);
}

/**
 * Lists a manifest: a `.csv` with the header `path,identity[,split]`, or a `.jsonl` with these keys on each line. Paths are
 * relative to the file.
 *
 * @throws {DataError} if it cannot be read, or a row is not right
 */
export async function listManifest(file: string): Promise<ListedSample[]> {
  const samples = (await rowsOf(file)).map(({ row, line }) => {
    const parsed = Row.safeParse(row);
    if (!parsed.success) {
      const { path: [column], message } = parsed.error.issues[0];
      throw new DataError(`Line ${line} of ${file} is not right in ${String(column)}: ${message}.`);
    }
    const { path: name, identity, split } = parsed.data;
    return { path: join(dirname(file), name), name, identity, part: split };
  });
  if (samples.length === 0) throw new DataError(`There are no photos in ${file}: it must have a row for each photo.`);
  return samples;
}

async function rowsOf(file: string): Promise<{ row: unknown; line: number }[]> {
  const isJson = /\.jsonl$/i.test(file);
  try {
    const text = await Deno.readTextFile(file);
    return isJson ? jsonRows(text) : csvRows(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new DataError(`There is no file ${file}; check --data.`);
    throw new DataError(`${file} is not ${isJson ? "JSON Lines" : "CSV"}: ${messageOf(error)}`);
  }
}

function jsonRows(text: string): { row: unknown; line: number }[] {
  return text.split("\n").flatMap((json, i) => json.trim() === "" ? [] : [{ row: JSON.parse(json), line: i + 1 }]);
}

function csvRows(text: string): { row: unknown; line: number }[] {
  const rows = parse(text, { columns: true, bom: true, trim: true, skip_empty_lines: true, info: true });
  return (rows as unknown as { record: unknown; info: { lines: number } }[]).map(({ record, info }) => ({
    row: record,
    line: info.lines,
  }));
}
