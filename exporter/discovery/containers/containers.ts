// The containers of this machine: listed now and then, and soon when one is met that the list does not have. When a source cannot
// be asked its last list stays, new containers go by the names of their programs, and it is asked less and less often.

import type { Failures } from "../../failures.ts";
import type { Container, ContainerEnd, ContainerList, ContainerSource } from "./container.ts";

/** While a source fails, the time between two questions doubles up to this, in seconds. */
const longestBackOff = 300;

/** What so many lists did not have, a container or its end, is looked for at the usual times only. */
const mostSearches = 3;

/** Ids that are remembered because nobody knows them; a machine that makes more of them is asked for them again. */
const mostUnknown = 10_000;

/** Ends that are remembered. */
const mostEnds = 1000;

interface Clock {
  monotonic(): number;
  unix(): number;
}

export class Containers {
  private readonly polled: readonly PolledList[];

  /** The first source that knows a container describes it. */
  constructor(options: {
    sources: readonly ContainerSource[];
    failures: Failures;
    clock: Clock;
    /** Called when a list describes other containers, or describes them otherwise, than the one before. */
    onChange: () => void;
  }) {
    this.polled = options.sources.map((source) => new PolledList(source, options));
  }

  /** Undefined for a container that is not known, or not yet; then the sources are asked soon. */
  of(id: string | undefined): Container | undefined {
    const known = this.peek(id);
    if (known === undefined && id !== undefined) for (const list of this.polled) list.miss(id);
    return known;
  }

  /** The same, without asking for more. */
  peek(id: string | undefined): Container | undefined {
    if (id === undefined) return undefined;
    for (const list of this.polled) {
      const found = list.containers.get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** How a container ended that runs no more, or that was replaced. Undefined while that is unknown. */
  endOf(id: string): ContainerEnd | undefined {
    for (const list of this.polled) {
      const found = list.ends.get(id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A process of it ended: its source is asked soon. */
  ended(id: string): void {
    const own = this.polled.find((list) => list.containers.has(id));
    for (const list of own === undefined ? this.polled : [own]) list.end(id);
  }

  /** Is there a container of this pod? Undefined before the first list. */
  hasPod(uid: string): boolean | undefined {
    return this.listedAt === undefined ? undefined : this.polled.some(({ pods }) => pods.has(uid));
  }

  /** The last list of each source that has answered. */
  *lists(): Iterable<{
    readonly source: ContainerSource;
    readonly listedAt: number;
    readonly containers: ContainerList["containers"];
  }> {
    for (const { source, listedAt, containers } of this.polled) {
      if (listedAt !== undefined) yield { source, listedAt, containers };
    }
  }

  /** Asks those sources of which the time has come. To be called now and then; never throws. */
  async refreshIfDue(): Promise<void> {
    await Promise.all(this.polled.map((list) => list.refreshIfDue()));
  }

  /** Unix time of the first source's last list, in seconds. */
  get listedAt(): number | undefined {
    return this.polled[0]?.listedAt;
  }
}

/** What one source said last, and when to ask it again. */
class PolledList {
  containers: ContainerList["containers"] = new Map();
  pods: ReadonlySet<string> = new Set();
  readonly ends = new Map<string, ContainerEnd>();
  listedAt: number | undefined;
  readonly source: ContainerSource;
  private readonly failures: Failures;
  private readonly clock: Clock;
  private readonly onChange: () => void;
  private readonly missing = new Set<string>();
  /** Lists that did not have it, by id. */
  private readonly searches = new Map<string, number>();
  /** Containers whose end is looked for, and how many lists did not have it. */
  private readonly ended = new Map<string, number>();
  private askedAt = Number.NEGATIVE_INFINITY;
  private failuresInRow = 0;
  private description = describe(new Map());
  private asking: Promise<void> | undefined;

  constructor(source: ContainerSource, options: { failures: Failures; clock: Clock; onChange: () => void }) {
    this.source = source;
    this.failures = options.failures;
    this.clock = options.clock;
    this.onChange = options.onChange;
  }

  miss(id: string): void {
    if (this.missing.size < mostUnknown && (this.searches.get(id) ?? 0) < mostSearches) this.missing.add(id);
  }

  end(id: string): void {
    if (this.ended.size < mostEnds || this.ended.has(id)) this.ended.set(id, 0);
  }

  refreshIfDue(): Promise<void> {
    if (this.asking !== undefined) return this.asking;
    if (this.clock.monotonic() - this.askedAt < this.wait) return Promise.resolve();
    this.askedAt = this.clock.monotonic();
    this.asking = this.refresh().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  /** Seconds from one question to the next. */
  private get wait(): number {
    const { usual, soonest } = this.source.interval;
    if (this.failuresInRow > 0) return Math.min(longestBackOff, soonest * 2 ** this.failuresInRow);
    return this.missing.size > 0 || this.ended.size > 0 ? soonest : usual;
  }

  private async refresh(): Promise<void> {
    const asked = new Map(this.ended);
    const missing = [...this.missing];
    try {
      const { containers, ends, problem } = await this.source.list(new Set(asked.keys()));
      this.failuresInRow = 0;
      this.listedAt = this.clock.unix();
      if (problem !== undefined) this.failures.add(this.source.file, problem, this.source.description);
      this.remember(ends);
      this.noteEnds(asked, ends);
      this.noteSearched(missing, containers);
      this.containers = containers;
      this.pods = new Set([...containers.values()].map(({ podUid }) => podUid));
      const description = describe(containers);
      const changed = description !== this.description;
      this.description = description;
      if (changed) this.onChange();
    } catch (error) {
      this.failuresInRow++;
      this.failures.add(this.source.file, error, this.source.description);
    }
  }

  private remember(ends: ContainerList["ends"]): void {
    for (const [id, end] of ends) {
      this.ends.delete(id); // the oldest go first
      this.ends.set(id, end);
    }
    for (const id of this.ends.keys()) {
      if (this.ends.size <= mostEnds) break;
      this.ends.delete(id);
    }
  }

  /** The kubelet tells the API of an end some seconds late. */
  private noteEnds(asked: ReadonlyMap<string, number>, ends: ContainerList["ends"]): void {
    for (const [id, searches] of asked) {
      if (this.ended.get(id) !== searches) continue; // it has ended again meanwhile
      if (ends.has(id) || searches + 1 >= mostSearches) this.ended.delete(id);
      else this.ended.set(id, searches + 1);
    }
  }

  private noteSearched(missing: readonly string[], containers: ContainerList["containers"]): void {
    if (this.searches.size > mostUnknown) this.searches.clear();
    for (const id of missing) {
      this.missing.delete(id);
      if (containers.has(id)) this.searches.delete(id);
      else this.searches.set(id, (this.searches.get(id) ?? 0) + 1);
    }
  }
}

/** All that names are made of; how often a container was restarted is none of it. */
const describe = (containers: ContainerList["containers"]) =>
  JSON.stringify([...containers.values()].map(({ restarts: _, ...described }) => described));
