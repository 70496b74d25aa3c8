import assert from "node:assert/strict";
import { eventRecord, type TensorBoardEvent } from "../../../../trainer/report/event_record.ts";

const golden: { records: { event: TensorBoardEvent; hex: string }[] } = JSON.parse(
  await Deno.readTextFile(new URL("../../../fixtures/report/events.json", import.meta.url)),
);

for (const { event, hex } of golden.records) {
  const name = typeof event.what === "string" ? event.what : Object.keys(event.what)[0];
  Deno.test(`eventRecord() writes the bytes of TensorBoard's own writer: ${name} at step ${event.step}`, () => {
    assert.equal(eventRecord(event).toHex(), hex);
  });
}
