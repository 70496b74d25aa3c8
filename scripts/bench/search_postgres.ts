import postgres from "postgres";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openPostgresGallery } from "../../worker/gallery/postgres.ts";
import { median } from "./median.ts";

/** What is searched: one image of each subject, the subject's name is the number of its row. */
export interface SearchData {
  /** `[images, dimensions] float32`, rows of unit length */
  vectors: Float32Array;
  dimensions: number;
  /** each `[dimensions] float32`, unit length */
  queries: readonly Float32Array[];
  /** How many are looked for. */
  k: number;
  /** The rows of the `k` nearest of each query. */
  nearest: readonly (readonly number[])[];
}

/** What was measured of searches in Postgres, one after the other. */
export interface PostgresFigures {
  /** Seconds to copy the rows, and to make the index of all of them. */
  load: number;
  index: number;
  /** Median milliseconds of a search as the worker does it, of one over all rows, and of an enrolment. */
  search: number;
  exact: number;
  enrol: number;
  /** Of the `k` nearest, the share that a search as the worker does it found. */
  recall: number;
  /** Bytes of the table of images with its indexes. */
  bytes: number;
}

const ENROLMENTS = 100;

/**
 * Measures the gallery in Postgres.
 *
 * @param url of a database that is made for this, and in which nothing is kept
 */
export async function measurePostgres(url: string, data: SearchData): Promise<PostgresFigures> {
  const { dimensions, queries, k, nearest } = data;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`DROP TABLE IF EXISTS triptych_images, triptych_subjects, triptych_counts, triptych_collections, triptych_gallery`;
  const gallery = await openPostgresGallery({ url, model: { fingerprint: "bench", dimensions } });
  try {
    const load = await seconds(() => copy(sql, data));
    const index = await seconds(() =>
      sql`CREATE INDEX triptych_images_by_embedding ON triptych_images USING hnsw (embedding vector_l2_ops)`
    );
    await sql`ANALYZE triptych_images, triptych_subjects, triptych_counts`;
    for (const query of queries) await gallery.search("default", query, { k });
    const found: number[][] = [], search: number[] = [], exact: number[] = [], enrol: number[] = [];
    for (const query of queries) {
      search.push(
        await seconds(async () => {
          const result = await gallery.search("default", query, { k });
          found.push(result.nearest.map(({ subject }) => Number(subject)));
        }),
      );
    }
    for (const query of queries.slice(0, 20)) {
      exact.push(
        await seconds(() =>
          sql`SELECT subject, min(embedding <-> ${`[${query.join()}]`}::vector) AS distance FROM triptych_images
            WHERE collection = 'default' GROUP BY subject ORDER BY distance LIMIT ${k}`
        ),
      );
    }
    for (let i = 0; i < ENROLMENTS; i++) {
      enrol.push(await seconds(() => gallery.addImage("default", `new ${i}`, queries[i % queries.length])));
    }
    const hits = found.map((rows, i) => rows.filter((row) => nearest[i].includes(row)).length / k);
    const [{ bytes }] = await sql`SELECT pg_total_relation_size('triptych_images')::float8 AS bytes`;
    const milliseconds = (times: number[]) => 1000 * median(times);
    return {
      ...{ load, index, bytes },
      ...{ search: milliseconds(search), exact: milliseconds(exact), enrol: milliseconds(enrol) },
      recall: hits.reduce((sum, hit) => sum + hit, 0) / hits.length,
    };
  } finally {
    await gallery.close();
    await sql.end();
  }
}

/** Fills the tables. An index is quicker made of all rows than row by row. */
async function copy(sql: postgres.Sql, { vectors, dimensions }: SearchData): Promise<void> {
  const images = vectors.length / dimensions;
  await sql`DROP INDEX triptych_images_by_embedding`;
  await sql`INSERT INTO triptych_subjects
    SELECT 'default', n, '{}', '{}', NULL, n, 1 FROM generate_series(0, ${images - 1}::integer) AS n`;
  const rows = function* () {
    for (let n = 0; n < images; n++) {
      const vector = vectors.subarray(n * dimensions, (n + 1) * dimensions).join();
      yield `default\t${n}\t${n}\t1\t\t[${vector}]\n`;
    }
  };
  const columns = sql`collection, subject, image, ordinal, created_at, embedding`;
  const target = await sql`COPY triptych_images (${columns}) FROM STDIN`.writable();
  await pipeline(Readable.from(rows()), target);
  await sql`INSERT INTO triptych_counts VALUES ('default', 0, 1, ${images}, ${images}, ${images})`;
}

async function seconds(work: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
