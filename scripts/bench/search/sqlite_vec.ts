import { DatabaseSync } from "node:sqlite";
import type { Contender } from "./contender.ts";
import { DIMENSIONS, vectorOf } from "./vectors.ts";

/** The exact search of npm's `sqlite-vec`, a native extension of SQLite, over float32 in memory. */
export const sqliteVec: Contender = {
  name: "sqlite-vec, exact",
  async build(vectors) {
    const { getLoadablePath } = await import("npm:sqlite-vec@0.1.9");
    const database = new DatabaseSync(":memory:", { allowExtension: true });
    database.loadExtension(getLoadablePath());
    database.exec(`CREATE VIRTUAL TABLE vectors USING vec0(embedding float[${DIMENSIONS}])`);
    const insert = database.prepare("INSERT INTO vectors (rowid, embedding) VALUES (?, ?)");
    database.exec("BEGIN");
    for (let i = 0; i < vectors.count; i++) insert.run(BigInt(i), bytesOf(vectorOf(vectors, i)));
    database.exec("COMMIT");
    const select = database.prepare("SELECT rowid FROM vectors WHERE embedding MATCH ? AND k = ? ORDER BY distance");
    return {
      search: (query, k) => Promise.resolve(select.all(bytesOf(query), k).map(({ rowid }) => Number(rowid))),
      close: () => Promise.resolve(database.close()),
    };
  },
};

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBufferLike>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
