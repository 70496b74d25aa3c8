import assert from "node:assert/strict";
import { ClientGoneError, createQueue, OverloadedError } from "../../../../worker/embedder/queue.ts";

Deno.test("a queue runs one piece of work at a time, in order of arrival", async () => {
  const queue = createQueue({ limit: 10 });
  const log: string[] = [];
  await Promise.all([1, 2, 3].map((n) =>
    queue.run(async () => {
      log.push(`begin ${n}`);
      await new Promise((done) => setTimeout(done, 1));
      log.push(`end ${n}`);
    })
  ));
  assert.deepEqual(log, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"]);
});

Deno.test("a queue refuses what is more than its limit, at once, and takes work again when there is room", async () => {
  const queue = createQueue({ limit: 2 });
  let finish = () => {};
  const running = queue.run(() => new Promise<void>((done) => finish = done));
  const waiting = [queue.run(() => Promise.resolve("a")), queue.run(() => Promise.resolve("b"))];
  await assert.rejects(queue.run(() => Promise.resolve("c")), OverloadedError);
  finish();
  await running;
  assert.deepEqual(await Promise.all(waiting), ["a", "b"]);
  assert.equal(await queue.run(() => Promise.resolve("d")), "d");
});

Deno.test("a queue of limit 0 lets nothing wait", async () => {
  const queue = createQueue({ limit: 0 });
  const running = queue.run(() => Promise.resolve(1));
  await assert.rejects(queue.run(() => Promise.resolve(2)), OverloadedError);
  assert.equal(await running, 1);
});

Deno.test("work that fails keeps no place in the queue", async () => {
  const queue = createQueue({ limit: 0 });
  for (let i = 0; i < 5; i++) await assert.rejects(queue.run(() => Promise.reject(new Error("broken"))), /broken/);
  assert.equal(await queue.run(() => Promise.resolve("fine")), "fine");
});

Deno.test("a queue gives the event loop a turn between two pieces of work", async () => {
  const queue = createQueue({ limit: 10 });
  const log: string[] = [];
  setTimeout(() => log.push("event"), 0);
  await Promise.all([
    queue.run(() => Promise.resolve(log.push("first"))),
    queue.run(() => Promise.resolve(log.push("second"))),
  ]);
  assert.deepEqual(log, ["first", "event", "second"]);
});

Deno.test("a queue of width 2 runs two pieces of work at a time", async () => {
  const queue = createQueue({ limit: 10, width: 2 });
  let running = 0, most = 0;
  await Promise.all(Array.from({ length: 6 }, () =>
    queue.run(async () => {
      most = Math.max(most, ++running);
      await new Promise((done) => setTimeout(done, 5));
      running--;
    })));
  assert.equal(most, 2);
});

Deno.test("a client that goes away while it waits frees its place, and its work is not done", async () => {
  const queue = createQueue({ limit: 1 });
  let finish = () => {};
  const running = queue.run(() => new Promise<void>((done) => finish = done));
  const client = new AbortController();
  let isDone = false;
  const gone = queue.run(() => Promise.resolve(isDone = true), client.signal);
  await assert.rejects(queue.run(() => Promise.resolve()), OverloadedError);
  client.abort();
  await assert.rejects(gone, ClientGoneError);
  const next = queue.run(() => Promise.resolve("next"));
  finish();
  await running;
  assert.equal(await next, "next");
  assert.equal(isDone, false);
  await assert.rejects(queue.run(() => Promise.resolve(), client.signal), ClientGoneError);
  assert.equal(queue.depth(), 0);
});

Deno.test("what waits for longer than the queue's patience is refused", async () => {
  const queue = createQueue({ limit: 1, patience: 20 });
  let finish = () => {};
  const running = queue.run(() => new Promise<void>((done) => finish = done));
  await assert.rejects(queue.run(() => Promise.resolve()), OverloadedError);
  assert.equal(queue.depth(), 1);
  finish();
  await running;
});
