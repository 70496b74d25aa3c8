import postgres from "postgres";
import type { Gallery } from "../../../../worker/gallery/gallery.ts";
import { openPostgresGallery } from "../../../../worker/gallery/postgres.ts";
import { startPostgres } from "../../../support/postgres.ts";
import { EMPTY } from "./records.ts";

/** The server of this file's tests. */
export const server = await startPostgres();
Deno.test.afterAll(() => server.stop());

/** Declares a test that needs more than the one connection, the one database and the settings that PGlite has. */
export function testOnServer(name: string, test: () => Promise<void>): void {
  if (!server.isReal) console.log(`skipped on PGlite, which has one connection and takes no settings: ${name}`);
  Deno.test({ name, ignore: !server.isReal, fn: test });
}

/** Runs a test on galleries that share a new database, and closes them. */
export async function withGalleries(
  count: number,
  test: (galleries: Gallery[], url: string) => Promise<void>,
  now = Date.now,
): Promise<void> {
  const url = await server.makeDatabase();
  const opened = Array.from({ length: count }, () => openPostgresGallery({ url, model: EMPTY, now }));
  const galleries = await Promise.all(opened);
  try {
    await test(galleries, url);
  } finally {
    await Promise.all(galleries.map((gallery) => gallery.close()));
  }
}

/** Does something in a database by a connection of its own. */
export async function inDatabase<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}
