// A growing buffer of exposition text. Per-process series are written here straight from the process table: names and
// labels are copied as bytes, numbers are written digit by digit, and nothing becomes garbage.

const zero = 0x30;
const newline = 0x0a;

export class TextBuffer {
  private bytes: Buffer;
  private length = 0;

  constructor(capacity = 64 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written: a view, valid until the next `clear`. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  text(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length, "utf8");
  }

  raw(part: Uint8Array): void {
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  /** One series: `<head><labels> <value>\n`. Short parts are faster to copy in a loop than by a call. */
  series(head: Uint8Array, labels: Uint8Array, value: number): void {
    this.reserve(head.length + labels.length + 32);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < head.length; i++) bytes[at++] = head[i] as number;
    for (let i = 0; i < labels.length; i++) bytes[at++] = labels[i] as number;
    bytes[at++] = 0x20;
    this.length = at;
    this.number(value);
    bytes[this.length++] = newline;
  }

  /** A number in as few digits as hold it exactly. Room must have been reserved. */
  private number(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      this.length += this.bytes.write(formatNumber(value), this.length, "latin1");
      return;
    }
    const end = this.length + digitsOf(value);
    let at = end;
    let rest = value;
    while (rest > 0xffff_ffff) {
      const next = Math.floor(rest / 10);
      this.bytes[--at] = zero + (rest - next * 10);
      rest = next;
    }
    let small = rest >>> 0;
    do {
      const next = (small / 10) >>> 0;
      this.bytes[--at] = zero + (small - next * 10);
      small = next;
    } while (small > 0);
    this.length = end;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.ceil(Math.max(this.bytes.length * 1.5, this.length + more)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** A value as both formats write it. */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
