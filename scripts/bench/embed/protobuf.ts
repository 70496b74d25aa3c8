/** Wire types of protocol buffers. */
const VARINT = 0, BYTES = 2, FIXED32 = 5;

/** Writes one message of protocol buffers, field by field (protobuf.dev/programming-guides/encoding). */
export class Message {
  readonly #parts: Uint8Array[] = [];

  /** A field of an integer type; negative numbers take ten bytes. */
  integer(field: number, value: number): this {
    return this.#tag(field, VARINT).#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32).#parts.push(new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** A field of text, bytes, or another message. */
  field(field: number, value: string | Uint8Array | Message): this {
    const bytes = value instanceof Message
      ? value.bytes()
      : typeof value === "string"
      ? new TextEncoder().encode(value)
      : value;
    this.#tag(field, BYTES).#varint(BigInt(bytes.length)).#parts.push(bytes);
    return this;
  }

  /** A field for each of several values. */
  fields(field: number, values: readonly (string | Message)[]): this {
    values.forEach((value) => this.field(field, value));
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of this.#parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }

  #tag(field: number, type: number): this {
    return this.#varint(BigInt(field << 3 | type));
  }

  /** Seven bits a byte, the lowest first. */
  #varint(value: bigint): this {
    const bytes: number[] = [];
    for (; value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
    this.#parts.push(Uint8Array.of(...bytes, Number(value)));
    return this;
  }
}
