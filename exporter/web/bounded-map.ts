// A map for keys that clients choose.

/** Holds at most so many entries; a new one replaces the one that was set longest ago. */
export class BoundedMap<K, V> extends Map<K, V> {
  private readonly most: number;

  constructor(most: number) {
    super();
    this.most = most;
  }

  override set(key: K, value: V): this {
    this.delete(key); // so that it becomes the newest
    const [oldest] = this.keys();
    if (this.size >= this.most && oldest !== undefined) this.delete(oldest);
    return super.set(key, value);
  }
}
