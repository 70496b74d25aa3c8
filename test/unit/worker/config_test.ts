import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { UsageError } from "../../../shared/errors.ts";
import { readConfig } from "../../../worker/config.ts";

Deno.test("readConfig() of an empty environment has the documented defaults", () => {
  const { model, ...rest } = readConfig({ TRIPTYCH_GALLERY: "" });
  assert.match(model, /samples.model$/);
  assert.deepEqual(rest, {
    gallery: { kind: "sqlite", path: ".triptych/gallery.sqlite", former: ".triptych/gallery.snapshot" },
    modelKey: undefined,
    keys: undefined,
    audit: undefined,
    corsOrigins: [],
    maxBody: 8 * 1024 * 1024,
    queue: 16,
    thumbnails: false,
    faceSearch: false,
    retention: undefined,
    review: false,
    port: 8000,
    isHosted: false,
  });
});

Deno.test("readConfig() tells galleries by their scheme", () => {
  const galleryAt = (TRIPTYCH_GALLERY: string) => readConfig({ TRIPTYCH_GALLERY }).gallery;
  assert.deepEqual(galleryAt("memory:"), { kind: "memory" });
  assert.deepEqual(galleryAt("sqlite:data/g.sqlite"), { kind: "sqlite", path: "data/g.sqlite" });
  assert.deepEqual(galleryAt("sqlite:C:\\g.sqlite"), { kind: "sqlite", path: "C:\\g.sqlite" });
  assert.deepEqual(galleryAt("kv:"), { kind: "kv", path: undefined });
  assert.deepEqual(galleryAt("kv:data/g.kv"), { kind: "kv", path: "data/g.kv" });
  assert.deepEqual(galleryAt("data/g.snapshot"), { kind: "snapshot", location: "data/g.snapshot" });
  assert.deepEqual(galleryAt("C:\\g.snapshot"), { kind: "snapshot", location: "C:\\g.snapshot" });
  assert.deepEqual(galleryAt("file:///data/g"), { kind: "snapshot", location: "/data/g" });
  assert.deepEqual(galleryAt("https://h/g?x"), { kind: "snapshot", location: "https://h/g?x" });
  for (const url of ["postgres://u:p@h/d", "postgresql://h:5433/d?max=3"]) {
    assert.deepEqual(galleryAt(url), { kind: "postgres", url, replicas: [] });
  }
});

Deno.test("readConfig() gives replicas to a gallery in Postgres alone", () => {
  const TRIPTYCH_GALLERY_REPLICAS = "postgres://a/d, postgres://b/d";
  const { gallery } = readConfig({ TRIPTYCH_GALLERY: "postgres://h/d", TRIPTYCH_GALLERY_REPLICAS });
  assert.deepEqual(gallery, {
    kind: "postgres",
    url: "postgres://h/d",
    replicas: ["postgres://a/d", "postgres://b/d"],
  });
  for (
    const environment of [
      { TRIPTYCH_GALLERY_REPLICAS },
      { TRIPTYCH_GALLERY: "postgres://h/d", TRIPTYCH_GALLERY_REPLICAS: "b" },
    ]
  ) {
    assert.throws(() => readConfig(environment), UsageError);
  }
});

Deno.test("readConfig() repeats no password of a URL that it refuses", () => {
  for (const url of ["mysql://u:geheim@h/d", "postgres://u:geheim@h:port/d"]) {
    for (
      const environment of [{ TRIPTYCH_GALLERY: url }, {
        TRIPTYCH_GALLERY: "postgres://h/d",
        TRIPTYCH_GALLERY_REPLICAS: url,
      }]
    ) {
      assert.throws(
        () => readConfig(environment),
        (error) => error instanceof UsageError && !/geheim/.test(error.message),
      );
    }
  }
});

Deno.test("readConfig() refuses stores that this version has not, in a sentence that says which it has", () => {
  for (const location of ["sqlite:", "postgres:x", "https://"]) {
    assert.throws(
      () => readConfig({ TRIPTYCH_GALLERY: location }),
      (error) =>
        error instanceof UsageError && /memory:, sqlite:PATH, kv:, kv:PATH, postgres:.*, or/.test(error.message),
    );
  }
});

Deno.test("readConfig() gives the key to galleries that can be encrypted, and refuses it, unseen, where it is of no use", () => {
  const read = (TRIPTYCH_GALLERY: string, TRIPTYCH_GALLERY_KEY: string) => {
    return readConfig({ TRIPTYCH_GALLERY, TRIPTYCH_GALLERY_KEY }).gallery;
  };
  const text = `${"AQ".repeat(21)}A=`, key = new Uint8Array(Buffer.from(text, "base64"));
  assert.deepEqual(read("sqlite:g", text), { kind: "sqlite", path: "g", key });
  assert.deepEqual(read("kv:", text), { kind: "kv", path: undefined, key });
  assert.deepEqual(read("memory:", text), { kind: "memory" });
  for (
    const [gallery, wrong] of [["g.snapshot", text], ["postgres://h/d", text], ["sqlite:g", "s3cret"], [
      "kv:",
      text.slice(0, 40),
    ]]
  ) {
    assert.throws(
      () => read(gallery, wrong),
      (error) =>
        error instanceof UsageError && /^TRIPTYCH_GALLERY_KEY is /.test(error.message) &&
        !error.message.includes(wrong),
    );
  }
});

Deno.test("readConfig() keeps the gallery in memory on Deno Deploy, which has no disk that lasts", () => {
  assert.deepEqual(readConfig({ DENO_DEPLOYMENT_ID: "abc" }).gallery, { kind: "memory" });
});

Deno.test("readConfig() names the variable that is not right", () => {
  const wrong = {
    PORT: ["x", "-1", "65536", "80.5"],
    TRIPTYCH_MAX_BODY: ["8MiB", "0"],
    TRIPTYCH_QUEUE: ["-1", "many"],
    TRIPTYCH_CORS_ORIGINS: ["*", "https://a.example/path", "a.example"],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(
        () => readConfig({ [name]: value }),
        (error) => error instanceof UsageError && error.message.startsWith(`${name}=${value} is not right: give`),
      );
    }
  }
});

Deno.test("readConfig() reads origins separated by commas, null for pages opened from a file", () => {
  assert.deepEqual(readConfig({ TRIPTYCH_CORS_ORIGINS: "https://a.example, http://localhost:3000" }).corsOrigins, [
    "https://a.example",
    "http://localhost:3000",
  ]);
  assert.deepEqual(readConfig({ TRIPTYCH_CORS_ORIGINS: "null" }).corsOrigins, ["null"]);
});

Deno.test("readConfig() never shows a key of TRIPTYCH_KEYS that it cannot read", () => {
  for (const TRIPTYCH_KEYS of ["s3cret", "owner:s3cret", "match:good,enroll+:s3cret", "match: s3cret s3cret"]) {
    assert.throws(
      () => readConfig({ TRIPTYCH_KEYS }),
      (error) =>
        error instanceof UsageError && /^Entry \d of TRIPTYCH_KEYS/.test(error.message) &&
        !error.message.includes("s3cret"),
    );
  }
});
