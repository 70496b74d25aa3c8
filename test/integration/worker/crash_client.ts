import assert from "node:assert/strict";
import type { Call, Client } from "./client.ts";

/** A subject, as far as its client was told of it. */
interface Subject {
  metadata: Record<string, unknown>;
  /** Ids and embeddings, in the order of their enrolment. */
  images: { image: string; embedding: number[] }[];
}

/** A collection by subject. It is there if it has been made and not been dropped. */
type Subjects = ReadonlyMap<string, Subject>;

/** A request that was sent, and what the collection is if it was carried out; its answer has not come. */
interface Pending {
  becomes: Subjects;
  /** The subject whose new image has an id that nobody was told. */
  enrols?: string;
}

/** What a client needs of the model. */
interface Model {
  fingerprint: string;
  embedding: { dimensions: number };
}

const SUBJECTS = 40;

/**
 * Someone who changes a collection of its own, one request after the other, and keeps book of what was acknowledged. What
 * the worker does not answer is left open until `check`.
 */
export class CrashClient {
  #acknowledged: Subjects = new Map();
  #pending: Pending | undefined;
  #touched = new Set<string>();
  #count = 0;
  /** How many changes were acknowledged, by kind. */
  readonly changes = { enrolments: 0, replacements: 0, deletions: 0 };

  constructor(readonly collection: string, readonly card: Model, readonly random: () => number) {}

  /** Sends one change after the other, until the worker is dead. */
  async work(call: Client): Promise<void> {
    while (await this.#step(call));
  }

  /** Compares all that the worker has with what was acknowledged; what was pending may have been done, wholly, or not. */
  async check(call: Client): Promise<void> {
    const pending = this.#pending, before = this.#acknowledged;
    const found = await this.#read(call);
    const describe = (subjects: Subjects) =>
      [...subjects].map(([subject, { metadata, images }]) => ({ subject, metadata, images: images.length }))
        .sort((a, b) => a.subject < b.subject ? -1 : 1);
    const isDone = pending !== undefined && equals(found, describe(pending.becomes));
    if (!isDone) assert.deepEqual(found, describe(before), `${this.collection}, after ${this.#count} changes`);
    if (isDone) this.#acknowledged = pending.becomes;
    for (const subject of this.#touched) await this.#checkImages(call, subject, isDone && pending.enrols === subject);
    this.#pending = undefined;
    this.#touched.clear();
  }

  async #read(call: Client): Promise<{ subject: string; metadata: unknown; images: number }[]> {
    const { status, body } = await call(`GET /collections/${this.collection}/subjects?limit=1000`);
    if (status === 404) return [];
    assert.equal(status, 200);
    assert.equal(body.cursor, null);
    return body.subjects.map((
      { subject, metadata, images }: { subject: string; metadata: unknown; images: number },
    ) => (
      { subject, metadata, images }
    ));
  }

  async #checkImages(call: Client, subject: string, isNewest: boolean): Promise<void> {
    const expected = this.#acknowledged.get(subject);
    const { status, body } = await call(`GET /collections/${this.collection}/subjects/${subject}`);
    assert.equal(status, expected === undefined ? 404 : 200);
    if (expected === undefined) return;
    const ids: string[] = body.images.map(({ image }: { image: string }) => image);
    const newest = expected.images.at(-1);
    if (isNewest && newest !== undefined) newest.image = ids.at(-1)!;
    assert.deepEqual(ids, expected.images.map(({ image }) => image));
    if (newest === undefined) return;
    const json = { embedding: newest.embedding, fingerprint: this.card.fingerprint };
    const [match] = (await call(`POST /match?collection=${this.collection}&k=1`, { json })).body.matches;
    assert.equal(match.image, newest.image);
    assert.ok(match.distance < 1e-3, `${match.distance}`);
  }

  async #step(call: Client): Promise<boolean> {
    const subject = `s${Math.floor(SUBJECTS * this.random())}`, present = this.#acknowledged.get(subject);
    const chance = this.random(), path = `/collections/${this.collection}/subjects/${subject}`;
    const after = new Map(this.#acknowledged);
    this.#count++;
    if (chance < 0.005 && after.size > 0) {
      for (const subject of after.keys()) this.#touched.add(subject);
      return await this.#send(call, `DELETE /collections/${this.collection}`, {}, { becomes: new Map() }, "deletions");
    }
    this.#touched.add(subject);
    if (chance < 0.5 || present === undefined) {
      const embedding = this.#direction();
      const { metadata = {}, images = [] } = present ?? {};
      const added = { image: "", embedding };
      after.set(subject, { metadata, images: [...images, added] });
      const json = { embedding, fingerprint: this.card.fingerprint };
      const pending = { becomes: after, enrols: subject };
      return await this.#send(call, `POST ${path}/images`, { json }, pending, "enrolments", (image) => {
        added.image = image;
      });
    }
    if (chance < 0.75) {
      const metadata = { change: this.#count, text: String(this.#count).repeat(1 + Math.floor(800 * this.random())) };
      after.set(subject, { ...present, metadata });
      return await this.#send(call, `PUT ${path}`, { json: { metadata } }, { becomes: after }, "replacements");
    }
    if (chance < 0.85 && present.images.length > 0) {
      const gone = present.images[Math.floor(present.images.length * this.random())];
      after.set(subject, { ...present, images: present.images.filter((image) => image !== gone) });
      return await this.#send(call, `DELETE ${path}/images/${gone.image}`, {}, { becomes: after }, "deletions");
    }
    after.delete(subject);
    return await this.#send(call, `DELETE ${path}`, {}, { becomes: after }, "deletions");
  }

  /** @returns whether it was answered */
  async #send(
    call: Client,
    route: string,
    body: Call,
    pending: Pending,
    kind: keyof CrashClient["changes"],
    onImage: (image: string) => void = () => {},
  ): Promise<boolean> {
    this.#pending = pending;
    const answer = await call(route, body).catch(() => null);
    if (answer === null) return false;
    assert.ok(answer.status < 300, `${route} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    if (answer.status === 201 && answer.body.image !== undefined) onImage(answer.body.image);
    this.#acknowledged = pending.becomes;
    this.#pending = undefined;
    this.changes[kind]++;
    return true;
  }

  /** A unit vector that is like no other. */
  #direction(): number[] {
    const vector = Array.from({ length: this.card.embedding.dimensions }, () => this.random() - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  }
}

function equals(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
