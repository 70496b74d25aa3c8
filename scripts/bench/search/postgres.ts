import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import driver from "postgres";
import { openPostgresGallery } from "../../../worker/gallery/postgres.ts";
import type { Contender } from "./contender.ts";
import { DIMENSIONS, vectorOf, type Vectors } from "./vectors.ts";

const COLLECTION = "default";

/**
 * The gallery of this project in Postgres, searched as a route does: by HNSW, in another process; and the same table without
 * its index.
 *
 * @param url of a database whose tables of a gallery are made anew
 */
export function postgres(url: string): Contender[] {
  return [withIndex(url), exact(url)];
}

function withIndex(url: string): Contender {
  return {
    name: "gallery in Postgres, HNSW",
    async build(vectors) {
      const sql = driver(url, { max: 1, onnotice: () => {} });
      await sql`DROP TABLE IF EXISTS triptych_jobs, triptych_images, triptych_subjects, triptych_counts,
        triptych_collections, triptych_gallery`;
      const gallery = await openPostgresGallery({ url, model: { fingerprint: "benchmark", dimensions: DIMENSIONS } });
      await fill(sql, vectors);
      await sql.end();
      return {
        async search(query, k) {
          const { nearest } = await gallery.search(COLLECTION, query, { k });
          return nearest.map(({ subject }) => Number(subject));
        },
        close: () => gallery.close(),
      };
    },
  };
}

/** @param url where the contender before has made the table */
function exact(url: string): Contender {
  return {
    name: "pgvector, exact",
    // deno-lint-ignore require-await
    async build() {
      const unindexed = new URL(url);
      unindexed.searchParams.set("enable_indexscan", "off");
      const sql = driver(unindexed.href, { max: 1, onnotice: () => {} });
      return {
        async search(query, k) {
          const rows = await sql`SELECT subject FROM triptych_images WHERE collection = ${COLLECTION}
            ORDER BY embedding <-> ${`[${query.join()}]`}::vector LIMIT ${k}`;
          return rows.map(({ subject }) => Number(subject));
        },
        close: () => sql.end(),
      };
    },
  };
}

/** One subject for each vector, named by its number. An index is quicker made of all rows than row by row. */
async function fill(sql: driver.Sql, vectors: Vectors): Promise<void> {
  const { count } = vectors;
  await sql`DROP INDEX triptych_images_by_embedding`;
  await sql`INSERT INTO triptych_subjects
    SELECT ${COLLECTION}, n, '{}', '{}', NULL, n, 1 FROM generate_series(0, ${count - 1}::integer) AS n`;
  const rows = function* () {
    for (let n = 0; n < count; n++) yield `${COLLECTION}\t${n}\t${n}\t1\t\t[${vectorOf(vectors, n).join()}]\n`;
  };
  const columns = sql`collection, subject, image, ordinal, created_at, embedding`;
  await pipeline(Readable.from(rows()), await sql`COPY triptych_images (${columns}) FROM STDIN`.writable());
  await sql`INSERT INTO triptych_counts VALUES (${COLLECTION}, 0, 1, ${count}, ${count}, ${count})`;
  await sql`CREATE INDEX triptych_images_by_embedding ON triptych_images USING hnsw (embedding vector_l2_ops)`;
  await sql`ANALYZE triptych_images, triptych_subjects, triptych_counts`;
}
