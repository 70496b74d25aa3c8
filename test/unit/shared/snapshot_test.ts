import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { concat } from "../../support/bytes.ts";
import { GalleryError } from "../../../shared/errors.ts";
import { quantizeVector } from "../../../shared/quantized_vector.ts";
import { decodeSnapshot } from "../../../shared/decode_snapshot.ts";
import { encodeSnapshot } from "../../../shared/encode_snapshot.ts";
import type { GallerySnapshot } from "../../../shared/snapshot.ts";

const DIMENSIONS = 3;

function image(name: string, ...vector: number[]) {
  const embedding = Float32Array.from(vector, (value) => value / Math.hypot(...vector));
  return { image: name, createdAt: "2026-01-02T03:04:05.000Z", embedding };
}

const SNAPSHOT: GallerySnapshot = {
  fingerprint: `sha256:${"ab".repeat(32)}`,
  dimensions: DIMENSIONS,
  collections: [
    { collection: "default", subjects: [] },
    {
      collection: "fruit",
      subjects: [
        {
          subject: "banane géante 🍌",
          metadata: { name: "Banana", embedding: [1, 2], nested: { tags: ["a", null, 1.5, true] }, thumbnail: "x" },
          expiresAt: "2030-01-01T00:00:00.000Z",
          revision: "r1",
          images: [
            { ...image("i1", 1, 0, 0), request: { key: "k", digest: "d" } },
            { ...image("i2", 0, -0.5, 0.1), thumbnail: Uint8Array.of(0xff, 0xd8, 0, 1, 2) },
          ],
        },
        { subject: "lime", metadata: {}, expiresAt: null, revision: "r2", images: [] },
        {
          subject: "plum",
          metadata: {},
          expiresAt: null,
          revision: "r3",
          images: [{ ...image("i3", 0, 0, 1), thumbnail: Uint8Array.of(7) }],
        },
      ],
    },
  ],
};

function encoded(snapshot: GallerySnapshot): Uint8Array<ArrayBuffer> {
  return concat(encodeSnapshot(snapshot));
}

async function decoded(bytes: Uint8Array<ArrayBuffer>): Promise<GallerySnapshot> {
  const { rows: _, ...snapshot } = await decodeSnapshot(bytes, "here");
  return snapshot;
}

/** The bytes with a header that was changed, and the digest of that. */
function withHeader(change: (header: Record<string, unknown>) => string | void): Uint8Array<ArrayBuffer> {
  const bytes = encoded(SNAPSHOT), length = new DataView(bytes.buffer).getUint32(12, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(16, 16 + length)));
  const json = new TextEncoder().encode(change(header) ?? JSON.stringify(header));
  const start = new Uint8Array(Math.ceil((16 + json.length) / 64) * 64).fill(0x20);
  start.set(bytes.subarray(0, 16));
  start.set(json, 16);
  new DataView(start.buffer).setUint32(12, start.length - 16, true);
  return resealed(concat([start, bytes.subarray(16 + length)]));
}

function resealed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  bytes.set(createHash("sha256").update(bytes.subarray(0, -32)).digest(), bytes.length - 32);
  return bytes;
}

Deno.test("decodeSnapshot() gives back what encodeSnapshot() wrote", async () => {
  assert.deepEqual(await decoded(encoded(SNAPSHOT)), SNAPSHOT);
});

Deno.test("decodeSnapshot() gives back galleries of every shape", async () => {
  for (let size = 0; size < 12; size++) {
    const subjects = Array.from({ length: size }, (_, s) => ({
      subject: `s${s}`.padEnd(s, "é"),
      metadata: {},
      expiresAt: null,
      revision: "r",
      images: Array.from({ length: (s * 7 + size) % 4 }, (_, i) => image(`i${i}`, s + 1, i, s / (i + 3))),
    }));
    const snapshot = { ...SNAPSHOT, collections: [{ collection: "c", subjects }] };
    assert.deepEqual(await decoded(encoded(snapshot)), snapshot);
  }
});

Deno.test("decodeSnapshot() gives the quantised rows, in the order of the images, without a copy", async () => {
  const bytes = encoded(SNAPSHOT);
  const { rows, collections } = await decodeSnapshot(bytes, "here");
  const images = collections.flatMap(({ subjects }) => subjects.flatMap(({ images }) => images));
  assert.equal(rows.scales.length, images.length);
  images.forEach(({ embedding }, i) => {
    const expected = new Int8Array(DIMENSIONS);
    assert.equal(rows.scales[i], quantizeVector(embedding, expected));
    assert.deepEqual(rows.quantized.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS), expected);
  });
  for (const { buffer } of [rows.vectors, rows.quantized, rows.scales, images[0].embedding]) {
    assert.equal(buffer, bytes.buffer);
  }
});

Deno.test("encodeSnapshot() begins every section at a multiple of 64 bytes", () => {
  const bytes = encoded(SNAPSHOT), length = new DataView(bytes.buffer).getUint32(12, true);
  assert.equal((16 + length) % 64, 0);
  const { sections } = JSON.parse(new TextDecoder().decode(bytes.subarray(16, 16 + length)));
  const offsets = Object.values<{ offset: number }>(sections).map(({ offset }) => offset);
  assert.deepEqual(offsets, [0, 64, 128, 192]);
});

Deno.test("decodeSnapshot() reads a view into larger bytes at any offset", async () => {
  const bytes = encoded(SNAPSHOT);
  for (let offset = 1; offset < 5; offset++) {
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, offset);
    assert.deepEqual(await decoded(larger.subarray(offset, offset + bytes.length)), SNAPSHOT);
  }
});

Deno.test("decodeSnapshot() refuses a snapshot with any one bit flipped", async () => {
  const bytes = encoded(SNAPSHOT);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(decodeSnapshot(flipped, "here"), GalleryError, `bit ${bit} of ${bytes.length * 8}`);
  }
});

Deno.test("decodeSnapshot() refuses a large snapshot with a bit flipped in any section", async () => {
  const images = Array.from({ length: 20_000 }, (_, i) => image(`i${i}`, 1, i, 2));
  const subjects = [{ subject: "s", metadata: {}, expiresAt: null, revision: "r", images }];
  const bytes = encoded({ ...SNAPSHOT, collections: [{ collection: "c", subjects }] });
  for (let i = 0; i < 40; i++) {
    const at = Math.floor(bytes.length * i / 40);
    bytes[at] ^= 1 << i % 8;
    await assert.rejects(decodeSnapshot(bytes, "here"), GalleryError, `byte ${at} of ${bytes.length}`);
    bytes[at] ^= 1 << i % 8;
  }
  await decodeSnapshot(bytes, "here");
});

Deno.test("decodeSnapshot() refuses a snapshot cut off anywhere", async () => {
  const bytes = encoded(SNAPSHOT);
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(decodeSnapshot(bytes.slice(0, length), "here"), GalleryError, `${length} bytes`);
  }
});

Deno.test("decodeSnapshot() refuses a later format by its number, and names the place", async () => {
  const bytes = encoded(SNAPSHOT);
  new DataView(bytes.buffer).setUint32(8, 3, true);
  await assert.rejects(decodeSnapshot(resealed(bytes), "/data/gallery"), /\/data\/gallery has the format 3/);
});

Deno.test("decodeSnapshot() refuses what a whole file cannot hold, and says what it is", async () => {
  // deno-lint-ignore no-explicit-any
  const changed = (change: (header: any) => void) => withHeader((header) => void change(header));
  const fruit = (change: (subjects: Record<string, unknown>[]) => void) =>
    changed(({ collections }) => change(collections[1].subjects));
  for (
    const [bytes, message] of [
      [withHeader(() => "{}"), /header that cannot be read, at fingerprint/],
      [withHeader(() => "not JSON"), /header that cannot be read, at its start/],
      [changed((header) => header.dimensions = 4), /section "quantized" of 9 bytes for 3 images/],
      [changed(({ sections }) => sections.vectors.offset = 4), /section "vectors" where none can be/],
      [changed(({ sections }) => sections.vectors.offset = 1 << 20), /section "vectors" where none can be/],
      [changed(({ sections }) => sections.scales.bytes = 1 << 30), /section "scales" of 1073741824 bytes/],
      [changed(({ collections }) => collections[0].collection = "fruit"), /names a collection twice/],
      [fruit((subjects) => subjects[1].subject = "plum"), /subject of the collection "fruit" twice/],
      [fruit((subjects) => subjects[0].expiresAt = "soon"), /collections\.1\.subjects\.0\.expiresAt/],
      [fruit((subjects) => subjects[0].revision = 'a", "b'), /collections\.1\.subjects\.0\.revision/],
      [fruit((subjects) => subjects.pop()), /section "quantized" of 9 bytes for 2 images/],
    ] as const
  ) {
    await assert.rejects(
      decodeSnapshot(bytes, "here"),
      (error) => error instanceof GalleryError && message.test(error.message),
      String(message),
    );
  }
  const prefix = encoded(SNAPSHOT);
  new DataView(prefix.buffer).setUint32(12, 1 << 20, true);
  await assert.rejects(decodeSnapshot(resealed(prefix), "here"), /header of a length that cannot be/);
  new DataView(prefix.buffer).setUint32(12, 2 ** 32 - 16, true);
  await assert.rejects(decodeSnapshot(resealed(prefix), "here"), /header of more than 256 MiB/);
});

Deno.test("decodeSnapshot() refuses embeddings that are not of length 1, and 8-bit values that are not theirs", async () => {
  const bytes = encoded(SNAPSHOT), start = bytes.length - 32 - 4 * 64;
  for (const [at, value] of [[0, 1], [64, 1], [128 + 3, 0x7f], [128 + 3, 0x40]]) {
    const wrong = bytes.slice();
    wrong[start + at] = value;
    await assert.rejects(decodeSnapshot(resealed(wrong), "here"), /holds in row 0/, `${at}`);
  }
});
