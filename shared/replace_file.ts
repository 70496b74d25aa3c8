import { dirname } from "node:path";

/** How a file is replaced. */
export interface ReplaceFileOptions {
  /** Its permissions on Unix; default 0o644. */
  mode?: number;
}

/**
 * Replaces a file so that after a crash at any moment there is either the old one or the new one as a whole: written under
 * another name (with this process's number and `.new` at its end), flushed to the disk, renamed.
 *
 * @param parts the new content, one part after the other
 * @throws whatever the file system does; the old file is then still there
 */
export async function replaceFile(
  path: string,
  parts: Iterable<Uint8Array>,
  { mode = 0o644 }: ReplaceFileOptions = {},
): Promise<void> {
  const temporary = `${path}.${Deno.pid}.new`;
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(temporary, { write: true, create: true, truncate: true, mode });
  try {
    for (const part of parts) {
      for (let written = 0; written < part.length;) written += await file.write(part.subarray(written));
    }
    await file.sync();
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes the renaming itself durable. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
