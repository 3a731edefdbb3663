// The last values on a regular grid of times, in an array that grows up to what is kept.

/** A hole is NaN. Grid index i stands for the time i * step seconds. */
export class Ring {
  private readonly step: number;
  private readonly longest: number;
  private values = new Float32Array(16).fill(Number.NaN);
  /** Grid indexes of the first value ever and of the newest. */
  private first: number | undefined;
  private newest: number | undefined;
  private read: { times: Float64Array; values: Float64Array } | undefined;

  /** `span` is the time that is kept; both in seconds. */
  constructor(step: number, span: number) {
    this.step = step;
    this.longest = Math.ceil(span / step) + 1;
  }

  /** Puts a value at a time that is no earlier than the last one. */
  put(time: number, value: number): void {
    this.read = undefined;
    const index = Math.floor(time / this.step);
    const gap = this.newest === undefined ? 0 : Math.min(index - this.newest - 1, this.longest);
    this.first ??= index;
    const wanted = index - this.first + 1;
    if (this.values.length < this.longest && wanted > this.values.length) this.grow(wanted);
    for (let hole = index - gap; hole < index; hole++) this.values[this.slot(hole)] = Number.NaN;
    this.values[this.slot(index)] = value;
    this.newest = index;
  }

  /** Oldest first, in seconds, without the holes: a missing sample ends no series. The same arrays until the next value. */
  samples(): { times: Float64Array; values: Float64Array } {
    if (this.read !== undefined) return this.read;
    const count = this.newest === undefined ? 0 : this.values.length;
    const first = (this.newest ?? 0) - count + 1;
    const times = new Float64Array(count);
    const values = new Float64Array(count);
    let known = 0;
    for (let i = 0; i < count; i++) {
      const value = this.values[this.slot(first + i)] as number;
      if (Number.isNaN(value)) continue;
      times[known] = (first + i) * this.step;
      values[known++] = value;
    }
    this.read = { times: times.subarray(0, known), values: values.subarray(0, known) };
    return this.read;
  }

  /** The extreme of the values from a time on, up to another; NaN if there are none. */
  extreme(from: number, of: (a: number, b: number) => number, to = Number.POSITIVE_INFINITY): number {
    let found = Number.NaN;
    const newest = Math.min(this.newest ?? -1, Math.floor(to / this.step));
    const first = Math.max(Math.ceil(from / this.step), (this.newest ?? -1) - this.values.length + 1);
    for (let index = first; index <= newest; index++) {
      const value = this.values[this.slot(index)] as number;
      if (!Number.isNaN(value)) found = Number.isNaN(found) ? value : of(found, value);
    }
    return found;
  }

  /** Lets go of what `samples` made; between two looks nobody needs it. */
  forget(): void {
    this.read = undefined;
  }

  /** A longer array, for at least `wanted` steps: most processes live too short to need it all. */
  private grow(wanted: number): void {
    const { times, values } = this.samples();
    let length = this.values.length;
    while (length < Math.min(wanted, this.longest)) length *= 4;
    this.values = new Float32Array(Math.min(length, this.longest)).fill(Number.NaN);
    times.forEach((time, i) => {
      this.values[this.slot(Math.round(time / this.step))] = values[i] as number;
    });
    this.read = undefined;
  }

  private slot(index: number): number {
    const at = index % this.values.length;
    return at < 0 ? at + this.values.length : at;
  }
}
