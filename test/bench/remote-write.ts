// Samples as Prometheus' remote write takes them: protobuf in a snappy block.
// https://prometheus.io/docs/specs/prw/remote_write_spec/
// https://github.com/google/snappy/blob/main/format_description.txt

import type { LabelSet } from "./fleet.ts";

/** Protobuf bytes that grow as needed. */
class Writer {
  private bytes = Buffer.allocUnsafe(2048);
  private length = 0;

  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
  }

  raw(more: Uint8Array): void {
    this.reserve(more.length);
    this.bytes.set(more, this.length);
    this.length += more.length;
  }

  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.length + more));
    larger.set(this.written());
    this.bytes = larger;
  }
}

/** A field that holds bytes: its number, and wire type 2. */
const bytesField = (field: number) => (field << 3) | 2;

/** The labels of a series, written once for all its requests. They go in the order of their names. */
export function encodeLabels(labels: LabelSet): Uint8Array {
  const all = new Writer();
  for (const name of Object.keys(labels).sort()) {
    const pair = new Writer();
    for (const [field, text] of [
      [1, name],
      [2, labels[name] as string],
    ] as const) {
      const utf8 = Buffer.from(text);
      pair.varint(bytesField(field));
      pair.varint(utf8.length);
      pair.raw(utf8);
    }
    all.varint(bytesField(1));
    all.varint(pair.written().length);
    all.raw(pair.written());
  }
  return Uint8Array.from(all.written());
}

export interface Stretch {
  /** From `encodeLabels`. */
  labels: Uint8Array;
  /** Unix time in seconds. */
  times: readonly number[];
  values: readonly number[];
}

/** The body of one request. */
export function encodeWrite(stretches: readonly Stretch[]): Uint8Array<ArrayBuffer> {
  const request = new Writer();
  for (const { labels, times, values } of stretches) {
    const samples = new Writer();
    for (let i = 0; i < times.length; i++) {
      const milliseconds = Math.round((times[i] as number) * 1000);
      samples.varint(bytesField(2));
      samples.varint(1 + 8 + 1 + varintLength(milliseconds));
      samples.varint((1 << 3) | 1); // value
      samples.double(values[i] as number);
      samples.varint(2 << 3); // timestamp
      samples.varint(milliseconds);
    }
    request.varint(bytesField(1));
    request.varint(labels.length + samples.written().length);
    request.raw(labels);
    request.raw(samples.written());
  }
  return uncompressed(request.written());
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** A snappy block of literals only. */
export function uncompressed(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Writer();
  block.varint(body.length);
  for (let at = 0; at < body.length; at += 65_536) {
    const piece = body.subarray(at, at + 65_536);
    block.raw(Uint8Array.of(61 << 2, (piece.length - 1) & 255, (piece.length - 1) >> 8));
    block.raw(piece);
  }
  return new Uint8Array(block.written());
}
