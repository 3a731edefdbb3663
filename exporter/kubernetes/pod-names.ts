// Names of the containers on this node: listed now and then, and soon when a container is met that the list does not
// have. When the API cannot be asked the last list stays, and new containers go by the names of their programs.

import type { Failures } from "../failures.ts";
import { type ContainerName, parsePodList } from "./pods.ts";

/** Seconds between two lists, and between two when a container is missing. */
const interval = { usual: 60, soonest: 10 };

export class PodNames {
  /** Unix time of the last list, in seconds. */
  listedAt: number | undefined;
  private readonly list: () => Promise<string>;
  private readonly failures: Failures;
  private readonly onChange: () => void;
  private readonly clock: { monotonic(): number; unix(): number };
  private names: ReadonlyMap<string, ContainerName> = new Map();
  private missing = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;

  constructor(options: {
    list: () => Promise<string>;
    failures: Failures;
    clock: { monotonic(): number; unix(): number };
    /** Called when a new list differs from the one before. */
    onChange: () => void;
  }) {
    this.list = options.list;
    this.failures = options.failures;
    this.clock = options.clock;
    this.onChange = options.onChange;
  }

  /** Undefined for a container that is not known, or not yet; then the list is asked for soon. */
  of(containerId: string | undefined): ContainerName | undefined {
    const name = this.peek(containerId);
    if (name === undefined && containerId !== undefined) this.missing = true;
    return name;
  }

  /** The same, without asking for more. */
  peek(containerId: string | undefined): ContainerName | undefined {
    return containerId === undefined ? undefined : this.names.get(containerId);
  }

  /** Asks the API when the time has come. To be called now and then; never throws. */
  refreshIfDue(): Promise<void> {
    const since = this.clock.monotonic() - this.askedAt;
    if (this.asking !== undefined || since < (this.missing ? interval.soonest : interval.usual)) {
      return this.asking ?? Promise.resolve();
    }
    this.askedAt = this.clock.monotonic();
    this.missing = false;
    this.asking = this.refresh().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async refresh(): Promise<void> {
    try {
      const found = parsePodList(await this.list());
      this.listedAt = this.clock.unix();
      const changed = !sameKeys(found, this.names);
      this.names = found;
      if (changed) this.onChange();
    } catch (error) {
      this.failures.add("pods", error, "the Kubernetes API");
    }
  }
}

/** A container's name never changes, so it is enough to compare the ids. */
const sameKeys = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>) =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key));
