import assert from "node:assert/strict";
import { searchHeap } from "../../../../worker/gallery/search_heap.ts";
import { Subjects } from "../../../../worker/gallery/subjects.ts";
import { bruteForce } from "./brute_force.ts";
import { randomFrom, subjectOf, unitVector } from "./records.ts";

const heap = await searchHeap();
const NOW = Date.parse("2026-01-01T00:00:00Z");

/** Vectors as they come: spread out, in tight clusters, many of them the same, with zeros. */
const KINDS: Record<string, (random: () => number, dimensions: number) => () => Float32Array> = {
  spread: (random, dimensions) => () => unitVector(random, dimensions),
  clustered: (random, dimensions) => {
    const centres = Array.from({ length: 5 }, () => unitVector(random, dimensions));
    return () => {
      const noise = unitVector(random, dimensions);
      return normalised(centres[Math.floor(random() * 5)].map((value, i) => value + 0.003 * noise[i]));
    };
  },
  repeated: (random, dimensions) => {
    const some = Array.from({ length: 7 }, () => unitVector(random, dimensions));
    return () => some[Math.floor(random() * 7)].slice();
  },
  sparse: (random, dimensions) => () => {
    const vector = new Float32Array(dimensions);
    vector[Math.floor(random() * dimensions)] = 1;
    return vector;
  },
};

function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

for (const [kind, vectorsOf] of Object.entries(KINDS)) {
  Deno.test(`the search finds what a comparison with everything finds: ${kind} vectors`, () => {
    for (const [seed, dimensions] of [[1, 128], [2, 3], [3, 100], [4, 512]]) {
      const random = randomFrom(seed), vector = vectorsOf(random, dimensions);
      const subjects = new Subjects();
      for (let i = 0; i < 1500; i++) {
        const name = `s${Math.floor(random() * 900)}`;
        if (random() < 0.1) subjects.delete(name);
        else subjects.set(subjectOf(name, ...Array.from({ length: Math.floor(random() * 4) }, vector)));
        if (i === 700) subjects.search(vector(), { k: 1 }, heap, NOW);
      }
      const records = [...subjects.living(NOW)];
      for (const k of [1, 2, 10, 100]) {
        for (const query of [vector(), unitVector(random, dimensions), records[5].images[0]?.embedding ?? vector()]) {
          for (const options of [{ k }, { k, exclude: records[5].subject }]) {
            assert.deepEqual(subjects.search(query, options, heap, NOW), bruteForce(records, query, options));
          }
        }
      }
      subjects.dispose();
    }
  });
}

Deno.test("the search counts and compares only who has not expired and contains the filter", () => {
  const random = randomFrom(9);
  const subjects = new Subjects();
  for (let i = 0; i < 2000; i++) {
    const record = subjectOf(`s${i}`, unitVector(random));
    const expiresAt = i % 3 === 0 ? new Date(NOW + (i % 2 === 0 ? -1000 : 1000)).toISOString() : null;
    subjects.set({ ...record, expiresAt, metadata: { even: i % 2 === 0, hundred: i % 100 === 0 } });
  }
  const query = unitVector(random);
  for (const filter of [undefined, { even: true }, { hundred: true }, { none: 1 }]) {
    const compared = [...subjects.living(NOW)].filter(({ metadata }) =>
      Object.entries(filter ?? {}).every(([name, value]) => metadata[name] === value)
    );
    assert.deepEqual(subjects.search(query, { k: 7, filter }, heap, NOW), bruteForce(compared, query, { k: 7 }));
  }
});

Deno.test("who was removed is not found, and who is enrolled again is", () => {
  const random = randomFrom(11);
  const subjects = new Subjects();
  for (let i = 0; i < 300; i++) subjects.set(subjectOf(`s${i}`, unitVector(random)));
  const embedding = subjects.get("s7")!.images[0].embedding;
  subjects.search(embedding, { k: 1 }, heap, NOW);
  const score = (of: Subjects) => of.search(embedding, { k: 1 }, heap, NOW).nearest[0].distance;
  assert.equal(score(subjects), 0);
  subjects.delete("s7");
  assert.ok(score(subjects) > 0.1);
  subjects.set(subjectOf("t", embedding));
  assert.equal(score(subjects), 0);
});

Deno.test("records that were read stay as they were when their rows are overwritten and used again", () => {
  const random = randomFrom(13), subjects = new Subjects(), embedding = unitVector(random);
  subjects.set({ ...subjectOf("s", embedding.slice()), metadata: { name: "S" } });
  const read = subjects.get("s")!;
  const view = read.images[0].embedding;
  subjects.delete("s");
  for (let i = 0; i < 5; i++) subjects.set(subjectOf(`t${i}`, unitVector(random)));
  assert.deepEqual(view, embedding);
  assert.deepEqual(read.metadata, { name: "S" });
  assert.equal(subjects.get("s"), undefined);
  assert.deepEqual(subjects.get("t0")!.metadata, {});
});

Deno.test("a subject is read as it was set, whatever its ids and dates look like", () => {
  const subjects = new Subjects(), embedding = unitVector(randomFrom(15));
  const thumbnail = Uint8Array.of(1, 2), request = { key: "k", digest: "d" };
  const images = [
    { image: "01J8Z3K4M5N6P7Q8R9S0T1V2W3", createdAt: "2026-01-01T00:00:00.000Z", embedding },
    { image: "another id", createdAt: "2026-01-01T00:00:00Z", embedding, thumbnail, request },
  ];
  for (const expiresAt of [null, "2999-01-01T00:00:00.000Z", "2999-01-01T00:00:00Z"]) {
    for (const revision of ["r", images[0].image]) {
      const record = { subject: "s", metadata: { a: 1 }, expiresAt, revision, images };
      subjects.set(record);
      assert.deepEqual(subjects.get("s"), record);
    }
  }
});

Deno.test("names of subjects are told in pages, in their order", () => {
  const subjects = new Subjects(), random = randomFrom(17);
  const names = Array.from({ length: 500 }, () => String(Math.floor(random() * 1e6)));
  for (const name of names) subjects.set(subjectOf(name));
  const sorted = [...new Set(names)].sort();
  const page = (after: string | null) => subjects.page(after, 7, NOW).map(({ subject }) => subject);
  assert.deepEqual(page(null), sorted.slice(0, 7));
  assert.deepEqual(page(sorted[99]), sorted.slice(100, 107));
});
