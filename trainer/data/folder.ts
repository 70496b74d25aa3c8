import { DataError, messageOf } from "../../shared/errors.ts";
import { type ListedSample, type Part, PARTS } from "./sample.ts";

const EXTENSIONS = /\.(jpe?g|png|webp)$/i;

/**
 * Lists a folder of folders, one per identity (`DIR/<identity>/*.jpg`), or with `train/`, `val/`, `test/` above them. Folders
 * within folders are identities of their own, such as `Greek/character01`.
 *
 * @throws {DataError} if the folder is missing or holds no photos
 */
export async function listFolder(directory: string): Promise<ListedSample[]> {
  const folders = await subfolders(directory);
  const samples = folders.includes("train") || folders.includes("test")
    ? (await Promise.all(PARTS.filter((part) => folders.includes(part)).map((part) => listPart(directory, part))))
      .flat()
    : await listIdentities(directory, "");
  if (samples.length === 0) {
    throw new DataError(
      `There are no photos in ${directory}: it must hold one folder per identity with JPEG, PNG or WebP files in it.`,
    );
  }
  return samples;
}

async function listPart(directory: string, part: Part): Promise<ListedSample[]> {
  const samples = await listIdentities(`${directory}/${part}`, "");
  return samples.map((sample) => ({ ...sample, name: `${part}/${sample.name}`, part }));
}

/** @param folder within the directory, with a slash at its end, or nothing */
async function listIdentities(directory: string, folder: string): Promise<ListedSample[]> {
  const samples: ListedSample[] = [];
  for (const { name, isFile, isDirectory } of await entriesOf(`${directory}/${folder}`)) {
    if (isDirectory) samples.push(...await listIdentities(directory, `${folder}${name}/`));
    if (!isFile || folder === "" || !EXTENSIONS.test(name)) continue;
    samples.push({ path: `${directory}/${folder}${name}`, name: `${folder}${name}`, identity: folder.slice(0, -1) });
  }
  return samples;
}

async function subfolders(directory: string): Promise<string[]> {
  return (await entriesOf(directory)).filter((entry) => entry.isDirectory).map((entry) => entry.name);
}

interface Entry {
  name: string;
  isFile: boolean;
  isDirectory: boolean;
}

/** The entries of a folder, links followed, in the order of their names, which every machine agrees on. */
async function entriesOf(directory: string): Promise<Entry[]> {
  try {
    const entries = (await Array.fromAsync(Deno.readDir(directory))).filter(({ name }) => !name.startsWith("."));
    const followed = await Promise.all(entries.map((entry) => entry.isSymlink ? follow(directory, entry.name) : entry));
    return followed.sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new DataError(`There is no folder ${directory}; check the path.`);
    throw new DataError(`The folder ${directory} cannot be read: ${messageOf(error)}; check the path.`);
  }
}

/** A link that leads nowhere counts as a file: it is then listed among those that cannot be read. */
async function follow(directory: string, name: string): Promise<Entry> {
  const { isFile, isDirectory } = await Deno.stat(`${directory}/${name}`).catch(() => ({
    isFile: true,
    isDirectory: false,
  }));
  return { name, isFile, isDirectory };
}
