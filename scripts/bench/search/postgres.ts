import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import driver from "postgres";
import { openPostgresGallery } from "../../../worker/gallery/postgres.ts";
import type { Contender } from "./contender.ts";
import { DIMENSIONS, vectorOf, type Vectors } from "./vectors.ts";

const COLLECTION = "default";

/**
 * The gallery of this project in Postgres, searched as a route does: by HNSW, in another process.
 *
 * @param url of a database whose tables of a gallery are made anew
 */
export function postgres(url: string): Contender {
  return {
    name: "gallery in Postgres",
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
