// Lowest and highest reading of each step of time, for the last so many steps. Grows with the process: most live too short to need all of it.

const firstLength = 32;
const nothing = Number.POSITIVE_INFINITY;

/** The highest peak, the highest low, and the largest fall of lows from that. */
export interface Seen {
  peak: number;
  top: number;
  fall: number;
}

export class Scale {
  readonly step: number;
  private readonly kept: number;
  private lows = new Float32Array(firstLength).fill(nothing);
  private highs = new Float32Array(firstLength).fill(-nothing);
  /** Steps since the clock's zero: the newest with a reading, and the first of all. */
  newest = Number.NaN;
  private oldest = Number.NaN;

  constructor({ step, kept }: { readonly step: number; readonly kept: number }) {
    this.step = step;
    this.kept = kept;
  }

  /** A reading, in KiB; `time` in seconds on a clock that does not run backwards. */
  add(time: number, value: number): void {
    const index = Math.floor(time / this.step);
    if (!(index <= this.newest)) this.advance(index);
    const at = this.place(this.newest);
    if (value < (this.lows[at] as number)) this.lows[at] = value;
    if (value > (this.highs[at] as number)) this.highs[at] = value;
  }

  /** Lowest of a step; Infinity where nothing was read. */
  low(index: number): number {
    return this.has(index) ? (this.lows[this.place(index)] as number) : nothing;
  }

  /** Highest of a step; -Infinity where nothing was read. */
  high(index: number): number {
    return this.has(index) ? (this.highs[this.place(index)] as number) : -nothing;
  }

  /** Lowest of the steps from one to another, that one not included. */
  lowest(from: number, to: number): number {
    const { lows } = this;
    const first = Math.max(from, this.first);
    const end = Math.min(to, this.newest + 1);
    let at = place(first, lows.length);
    let lowest = nothing;
    for (let i = first; i < end; i++) {
      const low = lows[at] as number;
      if (low < lowest) lowest = low;
      if (++at === lows.length) at = 0;
    }
    return lowest;
  }

  /** Highest of the steps from one to another, that one not included. */
  highest(from: number, to: number): number {
    const { highs } = this;
    const first = Math.max(from, this.first);
    const end = Math.min(to, this.newest + 1);
    let at = place(first, highs.length);
    let highest = -nothing;
    for (let i = first; i < end; i++) {
      const high = highs[at] as number;
      if (high > highest) highest = high;
      if (++at === highs.length) at = 0;
    }
    return highest;
  }

  /** Adds to `seen` the peak of these steps, and the largest fall of the lows of `size` steps each. */
  see(from: number, to: number, size: number, seen: Seen): void {
    const { lows, highs } = this;
    const start = Math.max(from, this.first);
    const end = Math.min(to, this.newest + 1);
    let at = place(start, lows.length);
    let inBlock = 0;
    let low = nothing;
    for (let i = start; i < end; i++) {
      if ((lows[at] as number) < low) low = lows[at] as number;
      if ((highs[at] as number) > seen.peak) seen.peak = highs[at] as number;
      if (++at === lows.length) at = 0;
      if (++inBlock < size) continue;
      if (low !== nothing) {
        if (low > seen.top) seen.top = low;
        else if (seen.top - low > seen.fall) seen.fall = seen.top - low;
      }
      inBlock = 0;
      low = nothing;
    }
  }

  /** Oldest step that is still kept. */
  get first(): number {
    return Math.max(this.oldest, this.newest - this.lows.length + 1);
  }

  /** Nothing was ever read. */
  clear(): void {
    this.lows.fill(nothing);
    this.highs.fill(-nothing);
    this.newest = Number.NaN;
    this.oldest = Number.NaN;
  }

  /** All that is kept, to be written down; undefined before any reading. */
  save(): SavedScale | undefined {
    if (Number.isNaN(this.newest)) return undefined;
    const { first, newest } = this;
    const lows = Float32Array.from({ length: newest - first + 1 }, (_, i) => this.low(first + i));
    const highs = Float32Array.from({ length: newest - first + 1 }, (_, i) => this.high(first + i));
    return { step: this.step, oldest: this.oldest, first, lows: encode(lows), highs: encode(highs) };
  }

  /** Takes what was saved, where it has the same step; nothing otherwise. Throws RangeError where it makes no sense. */
  restore(saved: SavedScale | undefined): void {
    this.clear();
    if (saved === undefined || saved.step !== this.step) return;
    const lows = decode(saved.lows);
    const highs = decode(saved.highs);
    if (lows.length !== highs.length || !Number.isInteger(saved.first) || !Number.isInteger(saved.oldest)) {
      throw new RangeError("steps of a history do not fit each other");
    }
    const skip = Math.max(0, lows.length - this.kept);
    for (let i = skip; i < lows.length; i++) {
      this.advance(saved.first + i);
      const at = this.place(saved.first + i);
      this.lows[at] = lows[i] as number;
      this.highs[at] = highs[i] as number;
    }
    if (lows.length > 0) this.oldest = Math.min(saved.oldest, this.oldest);
  }

  private has(index: number): boolean {
    return index <= this.newest && index > this.newest - this.lows.length;
  }

  private advance(index: number): void {
    if (Number.isNaN(this.newest)) this.oldest = index;
    const wanted = Math.min(index - this.oldest + 1, this.kept);
    if (wanted > this.lows.length) this.grow(wanted);
    const gap = Math.min(index - (Number.isNaN(this.newest) ? index : this.newest), this.lows.length);
    for (let i = Math.max(index - gap, index - this.lows.length) + 1; i <= index; i++) this.empty(i);
    if (gap === 0) this.empty(index);
    this.newest = index;
  }

  private empty(index: number): void {
    this.lows[this.place(index)] = nothing;
    this.highs[this.place(index)] = -nothing;
  }

  private grow(wanted: number): void {
    let length = this.lows.length;
    while (length < wanted) length *= 2;
    length = Math.min(length, this.kept);
    const lows = new Float32Array(length).fill(nothing);
    const highs = new Float32Array(length).fill(-nothing);
    for (let i = this.first; i <= this.newest; i++) {
      lows[place(i, length)] = this.lows[this.place(i)] as number;
      highs[place(i, length)] = this.highs[this.place(i)] as number;
    }
    this.lows = lows;
    this.highs = highs;
  }

  private place(index: number): number {
    return place(index, this.lows.length);
  }
}

/** As it is written down: Float32 values in base64, one for each step from the first on. */
export interface SavedScale {
  readonly step: number;
  readonly oldest: number;
  readonly first: number;
  readonly lows: string;
  readonly highs: string;
}

export const encode = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");

export function decode(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  const values = new Float32Array(bytes.length >> 2);
  for (let i = 0; i < values.length; i++) values[i] = bytes.readFloatLE(4 * i);
  return values;
}

/** Times may be negative: before the boot of this machine. */
function place(index: number, length: number): number {
  const at = index % length;
  return at < 0 ? at + length : at;
}
