import assert from "node:assert/strict";
import { distance } from "../../../../shared/distance.ts";
import { nearestSubjects } from "../../../../worker/gallery/search.ts";
import { randomFrom, subjectOf, unitVector } from "./records.ts";

Deno.test("nearestSubjects() agrees with sorting all subjects by their nearest image", () => {
  const random = randomFrom(7);
  for (const size of [1, 2, 5, 40, 300]) {
    const subjects = Array.from({ length: size }, (_, s) => {
      return subjectOf(`s${s}`, ...Array.from({ length: 1 + s % 3 }, () => unitVector(random)));
    });
    const query = unitVector(random);
    const sorted = subjects.map((record) => {
      const distances = record.images.map((image) => distance(image.embedding, query));
      const nearest = Math.min(...distances);
      return {
        subject: record.subject,
        image: record.images[distances.indexOf(nearest)].image,
        distance: nearest,
        metadata: {},
      };
    }).sort((a, b) => a.distance - b.distance);
    for (const k of [1, 3, 100]) assert.deepEqual(nearestSubjects(subjects, query, k), sorted.slice(0, k));
  }
});

Deno.test("nearestSubjects() breaks ties by the subject's name, whatever the order of enrolment", () => {
  const vector = unitVector(randomFrom(3));
  const names = ["m", "z", "a", "q", "b"];
  const found = nearestSubjects(names.map((name) => subjectOf(name, vector)), vector, 3);
  assert.deepEqual(found.map(({ subject, distance }) => [subject, distance]), [["a", 0], ["b", 0], ["m", 0]]);
});
