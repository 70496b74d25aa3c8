import { crc32c } from "./crc32c.ts";

/** What happened at a step, in TensorBoard's terms. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly what: { fileVersion: string } | { scalars: Readonly<Record<string, number>> } | "session start";
}

/**
 * One event as a record of a TensorBoard event file: a length, the protocol buffer `tensorboard.Event`, and a masked CRC-32C of
 * each (TensorFlow's TFRecord format and `event.proto`).
 */
export function eventRecord(event: TensorBoardEvent): Uint8Array {
  const data = encodeEvent(event);
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** A CRC of data that itself holds CRCs is weak, so the format rotates it and adds a constant. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The field numbers are those of `event.proto` and `summary.proto`. */
function encodeEvent({ wallTime, step, what }: TensorBoardEvent): Uint8Array {
  const event = [...doubleField(1, wallTime), ...(step === 0 ? [] : [...tag(2, WIRE.varint), ...varint(step)])];
  if (what === "session start") event.push(...bytesField(7, SESSION_START));
  else if ("fileVersion" in what) event.push(...bytesField(3, utf8(what.fileVersion)));
  else {
    const values = Object.entries(what.scalars).flatMap(([name, value]) =>
      bytesField(1, [...bytesField(1, utf8(name)), ...floatField(2, value)])
    );
    event.push(...bytesField(5, values));
  }
  return Uint8Array.from(event);
}

const WIRE = { varint: 0, double: 1, bytes: 2, float: 5 };
/** `SessionLog { status: START }`. */
const SESSION_START = [...tag(1, WIRE.varint), 1];

function tag(field: number, wire: number): number[] {
  return varint(field * 8 + wire);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}

function bytesField(field: number, bytes: ArrayLike<number>): number[] {
  return [...tag(field, WIRE.bytes), ...varint(bytes.length), ...Array.from(bytes)];
}

function doubleField(field: number, value: number): number[] {
  return [...tag(field, WIRE.double), ...new Uint8Array(littleEndian(8, (view) => view.setFloat64(0, value, true)))];
}

function floatField(field: number, value: number): number[] {
  return [...tag(field, WIRE.float), ...new Uint8Array(littleEndian(4, (view) => view.setFloat32(0, value, true)))];
}

function littleEndian(bytes: number, set: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  set(new DataView(buffer));
  return buffer;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
